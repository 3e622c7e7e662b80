"""A cluster's ledger of deliveries for commands: read to its end, and asked to be changed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from app.worker.place import ClusterPlace
from sinks.deliveries import asked
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LedgerCopy
from sinks.deliveries.records import encoded, reached
from sinks.deliveries.shadow import Shadow, shadow_of
from sinks.topics.names import DECISIONS
from streams.changes.reading import fetches
from streams.debezium import kafka

WAIT_SECONDS = 20.0  # for the sender, to begin and from one message to the next
_LOOK_SECONDS = 0.2


class ClusterLedger:
    """Use `cluster_ledger`."""

    def __init__(self, place: ClusterPlace, copy: LedgerCopy) -> None:
        self._place, self._copy = place, copy

    @property
    def seen(self) -> Ledger:
        """The ledger, to look at."""
        return self._copy

    def ask(self, *messages: asked.Asked) -> bool:
        """Ask the sender; in Kafka on return. Return whether all is done already. Raises InputError."""
        topic = self._place.topics.asked
        with kafka.producer(self._place.bootstrap) as producer:
            sent = [producer.send(topic, asked.encoded(one)) for one in messages]
            last = max(one.get(30).offset for one in sent)
        reached, until = -1, time.monotonic() + WAIT_SECONDS
        while (now := self._copy.reached(asked.ASKED).get(0, 0)) <= last:
            if now > reached:  # it is at it
                reached, until = now, time.monotonic() + WAIT_SECONDS
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
            self.catch_up()
        return True

    def catch_up(self) -> None:
        """Read what the topic has gained. Raises InputError."""
        topic = self._place.topics.ledger
        for _, records in fetches(self._place.bootstrap, topic, {0: self._copy.next}):
            self._copy.follow([(one.offset, one.value) for one in records])


@contextlib.contextmanager
def cluster_ledger(place: ClusterPlace) -> Iterator[ClusterLedger]:
    """Yield a cluster's ledger as it stands now. Raises InputError where Kafka does not answer."""
    with contextlib.closing(LedgerCopy(place.ledger_copy)) as copy:
        made = ClusterLedger(place, copy)
        made.catch_up()
        yield made


def shadow_there(place: ClusterPlace, trigger: str, versions: Sequence[str]) -> Shadow:
    """Return what a trigger decided in shadow in some of its versions, as far as the worker that sends has
    read; nothing where the cluster has no ledger yet. Raises InputError where Kafka does not answer."""
    with kafka.consumer(place.bootstrap) as consumer:
        if place.topics.ledger not in consumer.topics():
            return Shadow()
    with cluster_ledger(place) as ledger:
        return shadow_of(ledger.seen.connection, trigger, versions)


def begin_ledger(bootstrap: str, ledger: str, decisions: str) -> None:
    """Let a ledger that was made just now begin behind what was decided before it: nobody knows who has
    carried that out. Raises InputError."""
    with kafka.consumer(bootstrap) as consumer:
        ends = consumer.end_offsets(kafka.partitions_of(consumer, [decisions]))
    behind = {at.partition: offset for at, offset in ends.items() if offset}
    if behind:
        with kafka.producer(bootstrap) as producer:
            producer.send(ledger, encoded([reached(DECISIONS, behind)]), partition=0).get(30)
