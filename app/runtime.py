"""One shop in one process: its log, the engine that follows it, snapshots, and what can be asked of it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from app.effects import Collector
from app.inspect import LIVES, audit_minutes, find_customer, held_at, profile_of, unknown_customer
from app.life.gate import open_at_gate, telling
from app.load import read_folder
from app.log_folder import data_folder, open_log
from app.recount import recount
from app.replay import Replay, canonical, last_version, settings_body
from app.restore import FOLDER, begin
from app.shop import Shop
from engine.engine import Engine
from engine.outcome import Decision, Transition
from reference.pieces import Pieces
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tables import FILE_NAME as LEDGER
from sinks.snapshots import folder as snapshots
from streams.control import SETTINGS, Control
from streams.control import canonical as canonical_body
from streams.errors import InputError
from streams.identity.references import new_id
from streams.live import append_changes, append_controls, append_freshness, append_ticks
from streams.log.lock import WrittenElsewhere
from streams.log.log import FILE_NAME, Log
from streams.personal.conceal import hide
from streams.personal.vault import SECRET_BYTES

ALWAYS = 120_968_640  # minute of 2200-01-01, behind which no time is read
SNAPSHOT_EVERY = 50_000  # records behind the last snapshot that make a new one worth its while


class Runtime:
    """A shop's log and an engine behind it, to be looked at; nothing is carried out. Use `open_shop`."""

    def __init__(self, folder: Path, shop: Shop, log: Log) -> None:
        self.folder = folder
        self.log = log
        self.data = data_folder(folder, shop)
        self._replay, found = begin(log, shop, self.data, lambda *_: None, say=_say)
        self._restored = sum(found.steps) if found else 0

    @property
    def shop(self) -> Shop:
        """The settings in force."""
        return self._replay.shop

    @property
    def engine(self) -> Engine:
        return self._replay.engine

    @property
    def effects(self) -> int:
        """How many transitions and decisions the log has brought about so far."""
        return sum(digest.count for digest in self.engine.digests)

    def catch_up(self, progress: Callable[[int], None] | None = None, until: int | None = None) -> None:
        """Apply what the log has gained.

        progress: called with the number of records applied; until: the last minute to apply, all when absent.
        The log's writer keeps a snapshot now and then.
        """
        self._replay.follow(until, progress)
        if self.log.writable and sum(self.engine.steps) - self._restored >= SNAPSHOT_EVERY:
            self.save_snapshot()

    def save_snapshot(self) -> Path:
        """Write a snapshot of the present state."""
        self._restored = sum(self.engine.steps)
        return snapshots.save(self.data / FOLDER, self.engine, self._replay.version)

    def at(self, minute: int) -> Engine:
        """Return an engine that stands at the end of an earlier minute, by replay from the beginning."""
        replay = Replay(self.log, self.shop, lambda *_: None)
        replay.follow(until=minute)
        if replay.engine.clock < minute:
            replay.engine.advance(minute, 0)
        return replay.engine

    def profile(self, customer: str, minute: int | None = None, why: bool = False) -> dict[str, Any]:
        """Return one customer's profile, now or at the end of ``minute``. Raises InputError if unknown."""
        found = profile_of(self.log, self.shop, self._engine_at(minute), customer, why)
        if found is None:
            raise unknown_customer(customer)
        return found

    def _engine_at(self, minute: int | None) -> Engine:
        clock = self.engine.clock
        if minute is None or minute == clock:
            return self.engine
        if minute > clock:
            raise InputError("--at", "lies after the log's clock", "name a minute that the log has reached")
        return self.at(minute)

    def audit(
        self, minute: int | None = None, random: int | None = None, seed: int = 1, lives: int | None = LIVES,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Recompute from scratch and compare, at the clock, one minute, or some random minutes; ``lives``:
        of how many customers the tags with a memory too (None: of all); see `app.inspect.audit_minutes`."""
        clock = self.engine.clock
        return audit_minutes(self.log, self.shop, clock, minute, random, seed, lives, progress=progress)

    def recount(self, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
        """Replay the whole log and count its decisions over; see `app.recount.recount`."""
        if not (self.data / LEDGER).exists():
            return recount(self.log, self.shop, None, progress)
        with contextlib.closing(Ledger(self.data, write=False)) as ledger:
            return recount(self.log, self.shop, ledger, progress)

    def held(self) -> Mapping[str, pd.DataFrame]:
        """Return what the engine holds at its clock, as `audit_held` compares it."""
        return held_at(self.engine, Pieces.of(self.shop, self.shop.triggers))

    def audit_held(self, minute: int, held: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
        """Recompute one minute from scratch and compare with what was `held` when the engine stood there."""
        return audit_minutes(self.log, self.shop, self.engine.clock, minute, None, 1, read=held)



@contextlib.contextmanager
def open_shop(folder: Path) -> Iterator[Runtime]:
    """Open a shop that has a log. Changed settings become a record of the log (G4); if another process
    writes the log, its settings stay in force, and a note says so."""
    read = read_folder(folder)
    shop = read.shop
    if not (data_folder(folder, shop) / FILE_NAME).exists():
        raise InputError(
            str(folder),
            "there is no log yet",
            "import history first: tintype import SHOP FILE... --source NAME",
        )
    try:
        log = open_at_gate(read, telling(_say, shop))
    except WrittenElsewhere:
        log = open_log(folder, shop)
        sys.stderr.write("another process writes this log; its settings hold here too\n")
    with log:
        if log.writable:
            keep_settings(log, shop)
        yield Runtime(folder, shop, log)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def keep_settings(log: Log, shop: Shop) -> bool:
    """Write the shop's declarations into the log if they are not the ones in force; return whether so.

    An empty log gets them at minute 0, before its first row.
    """
    if last_version(log) == canonical(shop):
        return False
    mode = log.last_mode(0) or "import"
    append_controls(log, [Control(SETTINGS, None, settings_body(shop))], log.clock() or 0, mode)
    return True


class Sandbox:
    """An engine of its own for one timeline: an empty log in a folder of its own, and a virtual clock."""

    def __init__(self, shop: Shop, folder: Path, stale: Collection[str] = ()) -> None:
        """stale: sources of which nothing is heard; all others are fresh at every minute (semantics D4)."""
        self.shop = shop
        self._fresh = [name for name, one in shop.sources.items() if one.stale_minutes and name not in stale]
        self.log = Log.create(folder, shop.settings.name, 1, secret=bytes(SECRET_BYTES))
        self._made: list[Decision] = []
        self._moved: list[Transition] = []
        self._collector = Collector(self._listen)
        self._replay = Replay(self.log, shop, self._collector.take)

    def _listen(self, moved: list[Transition], made: list[Decision]) -> None:
        self._moved += moved
        self._made += made

    def advance_to(self, minute: int) -> None:
        """Open every minute up to ``minute``."""
        if self.log.clock() is None and self._fresh:
            with self.log.transaction():
                append_freshness(self.log, dict.fromkeys(self._fresh, ALWAYS), minute)
        append_ticks(self.log, minute, "live")
        self._replay.follow()

    def rows(self, source: str, rows: list[Mapping[str, Any]], minute: int, operation: str) -> None:
        """Take rows as a file would hold them; operation: insert, update or delete."""
        report = append_changes(self.log, self.shop, source, rows, minute, "live", [operation] * len(rows))
        if report.first_rejected:
            one = report.first_rejected[0]
            raise InputError(f"{source} row {one.line}", one.problem, one.hint)
        self._replay.follow()

    def control(self, kind: str, customer: str, body: Mapping[str, object], minute: int) -> None:
        """Take one control record of a customer named type:value; who has no row yet gets the id that the
        first one with this reference gives (W1)."""
        found = find_customer(self.log, customer)
        whom = new_id(hide(self.log.vault, customer)) if found is None else bytes.fromhex(found)
        append_controls(self.log, [Control(kind, whom, canonical_body(body))], minute, "live")
        self._replay.follow()

    def customer(self, reference: str) -> dict[str, Any] | None:
        """Return the profile behind ``type:value``, or None."""
        return profile_of(self.log, self.shop, self._replay.engine, reference, False)

    def decisions(self) -> list[dict[str, Any]]:
        """Return all decisions so far."""
        return [vars_of(one) for one in self._made]

    def transitions(self) -> list[Transition]:
        """Return all transitions so far."""
        return self._moved


def vars_of(one: Decision) -> dict[str, Any]:
    """Return a decision as a mapping."""
    return asdict(one)
