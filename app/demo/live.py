"""The simulated shop, live: its changes go into a real log, the engine follows, decisions are carried out."""

from __future__ import annotations

import contextlib
import csv
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo import story
from app.demo.lives import Change
from app.demo.simulate import CUSTOMERS, Simulation
from app.demo.story import HER, Beat
from app.inspect import references_of
from app.load import load_shop
from app.log_folder import open_log
from app.moments import parse_moment
from app.runtime import Runtime, keep_settings
from app.shop import Shop
from engine.outcome import Decision, Transition
from sinks.channels.courier import Courier, Delivery, open_channels
from streams.intake import import_files
from streams.live import append_changes, append_ticks

START = "2026-03-02 09:05"  # a Monday: the shop's Monday note goes out at 09:30
QUIET = 5  # minutes without a change after which a tick is written; the engine's limit is ten (T2)
# Parents before their children: a parcel or refund finds its customer through its order (W8).
SOURCES = ("members", "consent", "orders", "parcels", "refunds", "tickets", "views")


@dataclass
class Happened:
    """What one minute brought. ``beats``: of the story; ``profile``: the followed customer's afterwards."""

    minute: int
    changes: list[Change]
    transitions: list[Transition]
    deliveries: list[Delivery]
    decisions: list[Decision]
    beats: list[Beat] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)


class LiveShop:
    """The shop, its log and its engine, from the first live minute on. Use `open_live`."""

    def __init__(self, runtime: Runtime, simulation: Simulation, folder: Path) -> None:
        self.runtime = runtime
        self.simulation = simulation
        self.minute = simulation.start - 1
        self.imported = 0  # rows of history
        self.her_id = str(runtime.profile(self.her)["id"])
        zone = runtime.shop.settings.zone
        self._beats = story.beats(simulation.start, zone)
        for beat in self._beats:
            simulation.expect(beat.changes)
        self._moved: list[Transition] = []
        self._seen_at = self.minute
        runtime.listeners.append(lambda moved, made: self._moved.extend(moved))
        self.sent: list[str] = []  # what the console channel has written
        self._courier = Courier(
            runtime.shop, open_channels(runtime.shop, folder, self.sent.append), self.name
        )

    @property
    def her(self) -> str:
        """The followed customer's reference."""
        return f"member:{HER.member}"

    def name(self, customer: str) -> str:
        """Return a customer's first reference, or the id where there is none."""
        found = references_of(self.runtime.log, customer)
        members = [one for one in found if one.startswith("member:")]
        return members[0] if members else found[0] if found else customer

    def play(self) -> Happened:
        """Let the next minute pass: append its changes to the log, follow, carry out what was decided."""
        self.minute += 1
        changes = self.simulation.minute(self.minute)
        self._append(changes)
        decisions = self.runtime.catch_up()
        deliveries = self._courier.carry_out(decisions)
        moved, self._moved = self._moved, []
        live = [one for one in moved if one.mode == "live"]
        beats = [beat for beat in self._beats if beat.minute == self.minute]
        profile = self.runtime.profile(self.her)
        return Happened(self.minute, changes, live, deliveries, decisions, beats, profile)

    def _append(self, changes: list[Change]) -> None:
        log, shop = self.runtime.log, self.runtime.shop
        for source in SOURCES:
            own = [change for change in changes if change.source == source]
            if own:
                rows, done = [change.row for change in own], [change.operation for change in own]
                report = append_changes(log, shop, source, rows, self.minute, "live", done)
                assert not report.rejected, report.first_rejected  # the simulation keeps its own contract
        if changes:
            self._seen_at = self.minute
        elif self.minute - self._seen_at >= QUIET:
            append_ticks(log, self.minute, "live")
            self._seen_at = self.minute

    def digest(self) -> str:
        """Return the digest of everything that the engine has emitted (semantics P3)."""
        return "".join(one.hexdigest() for one in self.runtime.engine.digests)

    def close(self) -> None:
        """Close the channels; the runtime is closed by `open_live`."""
        self._courier.close()


@contextlib.contextmanager
def open_live(
    folder: Path, data: Path, seed: int, language: str | None = None, customers: int = CUSTOMERS
) -> Iterator[LiveShop]:
    """Make the simulated shop anew in ``data`` (what is there is removed), with its history imported.

    folder: the shop's declarations; language: of the words on the screen, the shop's own when None.
    """
    shop = _placed(load_shop(folder), data, language)
    shutil.rmtree(data, ignore_errors=True)
    zone = shop.settings.zone
    simulation = Simulation(seed, parse_moment(START, None, zone), zone, customers)
    with contextlib.ExitStack() as stack:
        log = open_log(folder, shop, write=True)
        stack.callback(log.close)
        keep_settings(log, shop)
        files = _write_history(shop, simulation, data / "history")
        report = import_files(log, shop, files)
        assert not report.rejected, report.first_rejected
        runtime = Runtime(folder, shop, log)
        stack.callback(runtime.outbox.close)
        runtime.catch_up()
        live = LiveShop(runtime, simulation, data)
        live.imported = report.rows
        stack.callback(live.close)
        yield live


def _placed(shop: Shop, data: Path, language: str | None) -> Shop:
    """Return the shop with its data elsewhere."""
    changed: dict[str, object] = {"data": str(data.resolve()), "partitions": 1}
    if language is not None:
        changed["language"] = language
    return shop.model_copy(update={"settings": shop.settings.model_copy(update=changed)})


def _write_history(shop: Shop, simulation: Simulation, folder: Path) -> list[tuple[str, Path]]:
    """Write the tables as they stand at the start, one CSV a source, as a database would export them."""
    folder.mkdir(parents=True)
    tables = simulation.history()
    for change in story.past(simulation.start, shop.settings.zone):
        tables.setdefault(change.source, []).append(change)
    return [(source, _write_table(folder / f"{source}.csv", tables[source])) for source in tables]


def _write_table(path: Path, changes: Iterable[Change]) -> Path:
    rows = [change.row for change in changes]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
