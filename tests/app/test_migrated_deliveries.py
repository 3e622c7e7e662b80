"""Deliveries brought into a new log's ledger: over lists, with logs and engines, and kills between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.effects import Collector, of_number
from app.load import load_shop
from app.migrating.deliveries import Carrying, FormerDeliveries
from app.migrating.places import NOWHERE, Places, Untaken
from app.replay import Replay
from app.sending.links import former_signers, secret_of_cluster, wrapped
from app.shop import Shop
from engine.outcome import Decision
from sinks.channels.courier import Courier
from sinks.channels.outcome import Accepted
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.left import left_to
from sinks.deliveries.life import Event
from sinks.deliveries.logged import LedgerCopy
from sinks.deliveries.shadow import shadow_of
from sinks.topics.names import DELIVERIES
from streams.changes.topics import Topics
from streams.errors import InputError
from streams.identity.partition import partition_of_customer
from streams.log.log import Log
from streams.migrate.send import Progress
from tests.app.test_migrate import migrated, traded
from tests.called import SECRET

EVENT = "when: {event: {source: orders}}\nguards: {max_age: 365d}\n"
ACTION = "action: {channel: sms, template: hi, values: {fen: spend}}\n"
SHADOW = f"{EVENT}{ACTION}status: shadow\n"
NEW = 3  # partitions


class Kafka:
    """A `Sender` whose topics are lists, which is killed at a transaction."""

    def __init__(self, killed_at: int | None = None) -> None:
        self.topics: dict[str, list[bytes]] = {}
        self.progress_ = Progress("log", [0], [-1] * NEW)
        self.killed_at, self._open = killed_at, list[Any]()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._open.clear()
        yield
        if self.killed_at is not None:
            self.killed_at -= 1
            if self.killed_at < 0:
                self.killed_at = None
                raise KeyboardInterrupt
        for topic, value in self._open:
            if topic is None:
                self.progress_ = value
            else:
                self.topics.setdefault(topic, []).append(value)

    def message(self, topic: str, value: bytes, **_: Any) -> None:
        self._open.append((topic, value))

    def progress(self, progress: Progress) -> None:
        self._open.append((None, progress))


class World:
    """A former shop with a ledger, and its log in other partitions."""

    def __init__(self, folder: Path) -> None:
        changes = {"triggers/hello.yaml": EVENT + ACTION, "triggers/quiet.yaml": SHADOW, "rfm.yaml": None}
        self.folder, (_, self.log) = folder, traded(folder / "shop", 4, changes)
        self.first = load_shop(folder / "shop")
        self.ledger = Ledger(folder / "former")
        self.copies = migrated(self.log, NEW, folder / "new", 100_000)
        self.made = self.replayed(self.log)

    def replayed(self, log: Log) -> list[Decision]:
        made: list[Decision] = []
        Replay(log, self.first, Collector(lambda _, more: made.extend(more)).take).follow()
        return made

    def untaken(self, taken: list[int]) -> list[Decision]:
        found = Untaken(taken)
        Replay(self.log, self.first, found.take).follow()
        return found.made

    def places(self, name: str) -> Places:
        found = Places(self.folder / f"{name}.sqlite", NEW)
        for number, copy in enumerate(self.copies):
            Replay(copy.log, self.first, of_number(found.take, number), apart=True).follow()
        return found

    def close(self) -> None:
        self.ledger.close()
        self.log.close()
        for copy in self.copies:
            copy.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def half_sent(world: World) -> list[int]:
    """Let the former sender have taken over half of what was decided, and be killed while it sends; return
    how many effects of each partition it has."""
    courier, taken = Courier(world.first, lambda _customer, _kind: None), [0] * 4
    for part in range(4):
        mine = [one for one in world.made if one.partition == part]
        some = mine[: len(mine) // 2]
        taken[part] = some[-1].seq + 1
        world.ledger.take("channels", [(one, courier.route(one)) for one in some], {part: taken[part]})
    rows = world.ledger.waiting("sms", [0], 1e12, 12)
    world.ledger.write([Step(one.number, Event.CLAIM, 5.0, "sms/0") for one in rows])
    accepted = [
        Step(one.number, Event.ACCEPT, 6.0, outcome=Accepted(f"r{one.number}", 1)) for one in rows[:8]
    ]
    world.ledger.write(accepted)
    return taken


def former_of(world: World, taken: list[int], **more: Any) -> FormerDeliveries:
    return FormerDeliveries(world.ledger, "Test", 4, taken, 3, nullcontext, **more)


def carry(
    world: World, kafka: Kafka, former: FormerDeliveries, untaken: list[Decision], name: str, shop: Shop
) -> None:
    """Carry over as `app.migrating.migrate` does."""
    there: Any = SimpleNamespace(topics=Topics("next"))
    places, sender = world.places(name), kafka
    carrying = Carrying(former, there, shop, places, untaken)
    progress = carrying.carry(sender, kafka.progress_, lambda *_: None)  # type: ignore[arg-type]  # a fake
    with sender.transaction():
        carrying.finish(sender)  # type: ignore[arg-type]  # a fake
        sender.progress(progress)
    places.close()


def ledger_of(kafka: Kafka, folder: Path) -> LedgerCopy:
    copy = LedgerCopy(folder)
    copy.follow(list(enumerate(kafka.topics[Topics("next").ledger])))
    return copy


def test_what_waits_goes_on_and_what_was_sent_is_known(world: World, tmp_path: Path) -> None:
    """Also what the former sender had not come to; each decision is at its place in the new log."""
    taken, kafka = half_sent(world), Kafka()
    untaken = world.untaken(taken)
    assert 0 < len(untaken) < len(world.made)
    unread, untaken = untaken[:5], untaken[3:]  # two of them are found by both ways
    former = former_of(world, taken, unread=unread, asked=[b"{}"], link_key="")
    carry(world, kafka, former, untaken, "places", world.first)
    with_delivery = {one.id for one in world.made if one.trigger == "hello" and one.outcome == "act"}
    there = [one for copy in world.copies for one in apart(world, copy.log, world.copies.index(copy))]
    copy = ledger_of(kafka, tmp_path / "next")
    entries = copy.after(0, 10_000)
    held = {one.decision.id: one for one in entries if one.state != "nothing to send"}
    assert len(entries) == len({(one.decision.id, one.decision.outcome) for one in entries})
    assert held.keys() == with_delivery
    assert sorted(map(repr, (one.decision for one in held.values()))) == sorted(
        repr(one) for one in there if one.id in held and one.outcome == "act"
    )
    states = Counter(one.state for one in held.values())
    assert states == {"sent": 8, "unknown": 4, "queued": len(held) - 12}
    assert {one.number for one in copy.waiting("sms", [0], 1e12, 10_000)} == {
        one.number for one in held.values() if one.state == "queued"
    }
    assert world.ledger.waiting("sms", [0], 1e12, 10_000) == []
    assert left_to(world.ledger.connection) == "next"
    version = next(one.version for one in world.made if one.trigger == "quiet")
    counted = sum(one.trigger == "quiet" and one.version == version for one in world.made)
    assert shadow_of(copy.connection, "quiet", [version]).decided == counted > 0
    assert kafka.topics[Topics("next").asked] == [b"{}"]
    assert copy.reached(DELIVERIES) == {0: 3}
    assert former_signers(copy, SECRET) == [(secret_of_cluster(SECRET), "Test")]
    copy.close()


def apart(world: World, log: Log, number: int) -> list[Decision]:
    made: list[Decision] = []
    taking = Collector(lambda _, more: made.extend(more)).take
    Replay(log, world.first, of_number(taking, number), apart=True).follow()
    return made


def test_killed_at_any_transaction_it_comes_to_the_same(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.deliveries.carrying.ROWS", 7)
    monkeypatch.setattr("app.migrating.deliveries._TOGETHER", 2)
    monkeypatch.setattr("time.time", lambda: 7.0)
    taken, whole = half_sent(world), Kafka()
    untaken = world.untaken(taken)
    carry(world, whole, former_of(world, taken), untaken, "whole", world.first)
    transactions = (whole.progress_.carried + 1) // 2 + 1
    assert transactions > 5
    for at in range(transactions):
        kafka = Kafka(killed_at=at)
        with pytest.raises(KeyboardInterrupt):
            carry(world, kafka, former_of(world, taken), untaken, f"killed{at}", world.first)
        carry(world, kafka, former_of(world, taken), untaken, f"again{at}", world.first)
        assert kafka.topics == whole.topics


def test_a_ledger_is_left_to_one_shop_only(world: World) -> None:
    former = former_of(world, half_sent(world))
    former.leave("next")
    former.leave("next")
    with pytest.raises(InputError, match="carried over to next already"):
        former.leave("another")


def test_a_decision_that_the_new_log_does_not_come_to_stays_sent(world: World, tmp_path: Path) -> None:
    """As of an embedded log's that rested on scores: it is at no step there, so it counts for no forecast."""
    kafka, taken = Kafka(), half_sent(world)
    places = Places(tmp_path / "none.sqlite", NEW)
    there: Any = SimpleNamespace(topics=Topics("next"))
    carrying = Carrying(former_of(world, taken), there, world.first, places, [])
    carrying.carry(kafka, kafka.progress_, lambda *_: None)  # type: ignore[arg-type]  # a fake
    places.close()
    copy = ledger_of(kafka, tmp_path / "next")
    found = [one.decision for one in copy.after(0, 10_000)]
    assert {(one.step, one.seq) for one in found} == {(NOWHERE, NOWHERE)}
    where = [partition_of_customer(bytes.fromhex(one.customer), NEW) for one in found]
    assert [one.partition for one in found] == where
    copy.close()


def test_links_that_were_signed_with_a_key_of_their_own_lead_on(tmp_path: Path) -> None:
    """The key is in the ledger, but not to be read there."""
    copy = LedgerCopy(tmp_path)
    said = wrapped(SECRET, b"k" * 32)
    assert (b"k" * 32).hex() not in said
    row = json.dumps([{"type": "carried", "table": "linked", "columns": ["shop", "key"],
                       "rows": [["Test", said]]}])  # fmt: skip
    copy.follow([(0, row.encode())])
    assert former_signers(copy, SECRET) == [(b"k" * 32, "Test")]
    copy.close()


def test_a_snapshot_behind_what_was_not_taken_is_passed_over() -> None:
    """What comes out before it would not come out again."""
    effects: Any = SimpleNamespace(effects=[5, 0])
    assert Untaken([5, 3]).lie_behind(effects)
    assert not Untaken([4, 3]).lie_behind(effects)
