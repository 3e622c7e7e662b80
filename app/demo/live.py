"""The simulated shop, live: its changes go into a real log, the engine follows, decisions are carried out."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from app.commit import Effect
from app.demo import story
from app.demo.feed import Feed
from app.demo.lives import Change
from app.demo.sending import Sending, by_loopback
from app.demo.simulate import CUSTOMERS, Simulation
from app.demo.smsc import Sms, Smsc
from app.demo.story import HER, Beat
from app.embedded import STORE_FOLDER
from app.inspect import audit_minutes, name_of, profile_of
from app.load import load_shop
from app.moments import parse_moment
from app.owner import Owner
from app.runtime import keep_settings
from app.sending.addresses import address_of, readable_of
from app.sending.courier_relay import NAME, CourierRelay
from app.shop import Shop
from engine.engine import Engine
from engine.outcome import Decision, Transition
from sinks.channels.courier import Courier
from sinks.channels.provider import Around
from sinks.deliveries.lane import Carried
from sinks.deliveries.ledger import Ledger
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store
from streams.arrive import Arrivals
from streams.intake import import_files
from streams.log.log import Log
from streams.personal.vault import SECRET_BYTES

MINUTE_SECONDS = 60.0
START = "2026-03-02 09:05"  # a Monday: the shop's Monday note goes out at 09:30



@dataclass
class Happened:
    """What one minute brought. ``beats``: of the story; ``profile``: the followed customer's afterwards."""

    minute: int
    changes: list[Change]
    transitions: list[Transition]
    deliveries: list[Carried]
    decisions: list[Decision]
    sms: list[Sms]
    beats: list[Beat] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)


class LiveShop:
    """The shop, its log, engine and store, from the first live minute on. Use `open_live`."""

    def __init__(
        self, owner: Owner, ledger: Ledger, relay: CourierRelay, simulation: Simulation, sent: list[str]
    ) -> None:
        self.owner = owner
        self.ledger = ledger
        self.log = owner.log
        self.simulation = simulation
        self.minute = simulation.start - 1
        self.imported = 0  # rows of history
        self.sent = sent  # what the console channel has written
        self.her_id = str(self.profile()["id"])
        self._relay = relay
        self.carry: Callable[[], tuple[list[Carried], list[Sms]]] = lambda: ([], [])
        self._arrivals = Arrivals(owner.log)
        self._feed = Feed(owner.shop)
        self._beats = story.beats(simulation.start, owner.shop.settings.zone)
        for beat in self._beats:
            simulation.expect(beat.changes)
        self._came: list[Effect] = []
        owner.listen(self._came.extend)

    @property
    def shop(self) -> Shop:
        return self.owner.shop

    @property
    def engine(self) -> Engine:
        return self.owner.engine

    @property
    def her(self) -> str:
        """The followed customer's reference."""
        return f"member:{HER.member}"

    def profile(self) -> dict[str, Any]:
        """Return the followed customer's profile."""
        found = profile_of(self.log, self.shop, self.engine, self.her, False)
        assert found is not None  # she is in the history
        return found

    def audit(self) -> dict[str, Any]:
        """Recompute the present minute from scratch and compare."""
        return audit_minutes(self.log, self.shop, self.engine.clock, None, None, 1)

    def name(self, customer: str) -> str:
        """Return a customer's reference (`app.inspect.name_of`)."""
        return name_of(self.log, customer)

    def play(self) -> Happened:
        """Let the next minute pass: take its changes as messages, follow, carry out what was decided."""
        self.minute += 1
        changes = self.simulation.minute(self.minute)
        self._take(changes)
        self.owner.follow()
        while self._relay.step():
            pass
        deliveries, sms = self.carry()
        came = list(self._came)
        self._came.clear()
        moved = [one for one in came if isinstance(one, Transition) and one.mode == "live"]
        made = [one for one in came if isinstance(one, Decision)]
        beats = [beat for beat in self._beats if beat.minute == self.minute]
        return Happened(self.minute, changes, moved, deliveries, made, sms, beats, self.profile())

    def _take(self, changes: list[Change]) -> None:
        messages = [*self._feed.messages(changes), *self._feed.heartbeats(self.minute)]
        (answer,) = self._arrivals.take(self.shop, [(messages, None)], self.minute)
        assert not answer.rejected, answer.rejected  # the simulation keeps its own contract

    def digest(self) -> str:
        """Return the digest of everything that the engine has emitted (semantics P3)."""
        return "".join(one.hexdigest() for one in self.engine.digests)


@contextlib.contextmanager
def open_live(
    folder: Path, data: Path, seed: int, language: str | None = None, customers: int = CUSTOMERS
) -> Iterator[LiveShop]:
    """Make the simulated shop anew in ``data`` (what is there is removed), with its history imported.

    folder: the shop's declarations; language: of the words on the screen, the shop's own when None.
    """
    declared = load_shop(folder)
    shop = _placed(declared, data, language)
    shutil.rmtree(data, ignore_errors=True)
    zone = shop.settings.zone
    simulation = Simulation(seed, parse_moment(START, None, zone), zone, customers)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(Log.create(data, shop.settings.name, 1, _secret(seed)))
        keep_settings(log, shop)
        report = import_files(log, shop, _write_history(shop, simulation, data / "history-files"))
        assert not report.rejected, report.first_rejected
        server = EmbeddedServer(data / STORE_FOLDER)
        stack.callback(server.stop)
        store, ledger = Store(server.client, shop.settings.name), Ledger(data)
        stack.callback(ledger.close)
        sent: list[str] = []
        # messages are in the customers' language, whatever the words on the screen are in
        smsc = Smsc()
        stack.callback(smsc.close)
        sending = by_loopback(declared, smsc.port)
        courier = Courier(sending, partial(address_of, log), partial(readable_of, log, shop))
        owner = Owner(log, shop, data, store, ledger.drained(NAME, log.partitions), _give_up)
        owner.follow()
        relay = CourierRelay(store, ledger, courier.route, log.partitions)
        live = LiveShop(owner, ledger, relay, simulation, sent)
        live.carry = Sending(
            sending, smsc, Around(data, sent.append), ledger, courier,
            lambda: live.minute * MINUTE_SECONDS, seed, stack,
        ).carry  # fmt: skip
        live.imported = report.rows
        yield live


def _secret(seed: int) -> bytes:
    """Return the log's secret: there is nobody to be kept secret, and the same seed gives the same ids."""
    return hashlib.blake2b(str(seed).encode(), digest_size=SECRET_BYTES).digest()


def _give_up(error: Exception) -> None:
    raise error


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
