"""The decisions of a cluster counted over again, beside what was told of them and what is sent.

Each partition's log is replayed from its beginning, and three things are looked at: the guards of every
decision, by a second reading (`reference.guards`); the topic of decisions, in which each is once, as it comes
out; and the ledger of deliveries, which holds each that is to be sent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec

from app.cluster.deliveries import cluster_ledger
from app.cluster.told import Told, ToldDecisions
from app.effects import Collector, of_number
from app.migrating.places import NOWHERE
from app.recount import Beside, difference, recount_of
from app.replay import Replay, first_version
from app.shop import Shop
from app.worker.place import ClusterPlace
from engine.outcome import Decision, Transition
from reference.guards import KINDS, Recount
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.shadow import SHADOW, to_count
from sinks.topics.names import DECISIONS
from sinks.topics.packing import partition_of
from streams.changes.copies import Copies
from streams.changes.copy import Copy
from streams.debezium import kafka
from streams.errors import InputError
from streams.log.rows import read_control

Progress = Callable[[int], None]
_HELD = "SELECT body FROM decision WHERE partition = ? AND seq > ? ORDER BY seq"


def recount_cluster(place: ClusterPlace, copies: Copies, progress: Progress | None = None) -> dict[str, Any]:
    """Replay the log of a cluster, whether workers run or not, and check each decision that comes out.

    copies: of all partitions. Returns what `app.recount.recount` does, and told: how many of the decisions
    their topic has. Raises InputError where the log has no settings, or Kafka does not answer.
    """
    copies.catch_up()
    with ExitStack() as opened:
        work = opened.enter_context(tempfile.TemporaryDirectory(prefix="told-", dir=copies.folder))
        told = ToldDecisions.read(place, len(copies.copies), Path(work) / "told.sqlite")
        opened.enter_context(closing(told))
        ledger = None
        with kafka.consumer(place.bootstrap) as consumer:
            has_ledger = place.topics.ledger in consumer.topics()
        if has_ledger:
            ledger = opened.enter_context(cluster_ledger(place)).seen
        return _Counting(told, ledger, progress).run(copies)


class _Counting:
    def __init__(self, told: ToldDecisions, ledger: Ledger | None, progress: Progress | None) -> None:
        self._told, self._ledger, self._progress = told, ledger, progress
        self._differences: list[dict[str, Any]] = []
        self._records, self._found, self._seen = 0, 0, 0

    def run(self, copies: Copies) -> dict[str, Any]:
        counting: Recount | None = None
        for number, copy in copies.copies.items():
            version = first_version(copy.log)
            if version is None:
                hint = "start a worker; it writes the settings that were applied into the log"
                raise InputError(str(copies.folder), "the log has no settings yet", hint)
            shop = Shop.model_validate_json(version)
            counting = recount_of(shop) if counting is None else counting
            counting.begin(read_control(copy.log, kinds=KINDS).assign(partition=number))
            self._count(number, copy, shop, counting)
        assert counting is not None  # a log has a partition at least
        return {"counted": counting.counted, "told": self._seen, "carried": self._found,
                "guards": counting.guards(), "differences": self._differences}  # fmt: skip

    def _count(self, number: int, copy: Copy, shop: Shop, counting: Recount) -> None:
        partition = Stretch(number, self._told, self._ledger)

        def listen(_: list[Transition], made: list[Decision]) -> None:
            for one in made:
                wrong = counting.check(one)
                self._differences.extend(difference(one, "guards", one.outcome, said) for said in wrong)
                zone = replay.engine.plan.guards.zone_spec
                self._differences.extend(partition.check(one, zone.key if zone else ""))

        replay = Replay(copy.log, shop, of_number(Collector(listen).take, number), apart=True)
        replay.follow(progress=self._tell)
        self._records += replay.records
        self._differences.extend(partition.left(replay.engine.steps[0]))
        self._found, self._seen = self._found + partition.held.found, self._seen + partition.told.found

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(self._records + done)


class Stretch:
    """A partition of the log: what its topic and the ledger have beside what a replay gives, in order.

    The topic forgets the oldest, and a ledger may have begun later: so of the decisions in one of the topic's
    partitions nothing is missed before the first that is there. held, told: what each has of them.
    """

    def __init__(self, number: int, told: ToldDecisions, ledger: Ledger | None) -> None:
        self._number, self._until, self._parts = number, told.until[number], told.parts
        self._read = {} if ledger is None else ledger.reached(DECISIONS)
        self._places: dict[int, Told] = {}
        self.held = Beside("ledger", iter(()) if ledger is None else _held(ledger, number))
        self.told = Beside("topic", self._once(told.of(number)))
        self._twice: list[dict[str, Any]] = []
        self._begun: set[int] = set()  # partitions of the topic of which something is there
        self._sent: set[int] = set()  # and of which something is in the ledger

    def check(self, one: Decision, zone: str) -> Iterator[dict[str, Any]]:
        """Yield what differs up to a decision of the replay. zone: as of `Beside.check`."""
        is_held, wrong = self.held.check(to_count(one) if one.status == SHADOW else one, zone)
        is_told, more = self.told.check(one, zone)
        yield from (*wrong, *more)
        at = partition_of(one.customer.encode(), self._parts) if self._parts else 0
        if is_told:
            self._begun.add(at)
        elif at in self._begun and one.seq <= self._until:
            yield difference(one, "topic", "none", one.outcome)
        place = self._places.pop(one.seq, None)
        if is_held:
            self._sent.add(at)
        elif (
            at in self._sent and place is not None and place.offset < self._read.get(at, 0)
            and one.outcome == "act" and one.status == "live"
        ):  # fmt: skip
            yield difference(one, "ledger", "none", one.outcome)

    def left(self, step: int) -> Iterator[dict[str, Any]]:
        """Yield what stands there and should have come out before a step."""
        yield from (*self.held.left(step), *self.told.left(step), *self._twice)

    def _once(self, told: Iterator[Told]) -> Iterator[Decision]:
        before = -1
        for one in told:
            if one.decision.seq == before:
                self._twice.append(difference(one.decision, "topic", "twice", "once"))
                continue
            before = one.decision.seq
            self._places[before] = one
            yield one.decision


def _held(ledger: Ledger, partition: int) -> Iterator[Decision]:
    """Yield what the ledger holds of a partition that its log comes to, in the log's order."""
    for (body,) in ledger.connection.execute(_HELD, (partition, NOWHERE)):
        yield msgspec.json.decode(body, type=Decision)
