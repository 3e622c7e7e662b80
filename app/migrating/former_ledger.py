"""The ledger of a former shop, read to its end: the file of an embedded one, or a cluster's topic."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import msgspec
import redis
from kafka import TopicPartition

from app.embedded import STORE_FOLDER
from app.kept_secret import KeptSecret
from app.migrating.deliveries import FormerDeliveries
from app.output import notes
from app.sending.courier_relay import NAME
from app.sending.links import ENVIRONMENT, FILE_NAME, wrapped
from app.worker.place import ClusterPlace
from engine.outcome import Decision
from sinks.deliveries import asked
from sinks.deliveries.journal import TopicJournal
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.switches import asked as turned
from sinks.store.server import EmbeddedServer
from sinks.topics.cursor import read_cursor
from sinks.topics.errors import Fenced
from sinks.topics.names import DECISIONS, DELIVERIES, topics_of
from streams.changes.reading import fetches
from streams.control import switch
from streams.debezium import kafka
from streams.errors import InputError
from streams.log.log import Log

_NEWEST = "SELECT coalesce(max(number), 0) FROM delivery_change"
_decision = msgspec.json.Decoder(Decision).decode


@contextmanager
def embedded_deliveries(log: Log, _work: Path) -> Iterator[FormerDeliveries]:
    """Yield what an embedded shop has of deliveries; its log is open for writing, so nobody else sends."""
    with closing(Ledger(log.folder)) as ledger:
        ((newest,),) = ledger.rows(_NEWEST)
        yield FormerDeliveries(
            ledger, log.shop, log.partitions, ledger.drained(NAME, log.partitions), newest,
            lambda: _own_store(log.folder / STORE_FOLDER),
            switches=[switch(one.what, one.off, one.reason) for one in turned(ledger)],
            link_key=_link_key(log),
        )  # fmt: skip


@contextmanager
def _own_store(folder: Path) -> Iterator[redis.Redis | None]:
    if not folder.exists():
        yield None
        return
    server = EmbeddedServer(folder)
    try:
        yield server.client
    finally:
        server.stop()


def _link_key(log: Log) -> str | None:
    """Return what links are signed with, wrapped: as the environment says, or the file beside the log."""
    if ENVIRONMENT not in os.environ and not (log.folder / FILE_NAME).exists():
        return None
    return wrapped(log.vault.secret, KeptSecret(log.folder / FILE_NAME, ENVIRONMENT).read(make=False))


@contextmanager
def cluster_deliveries(place: ClusterPlace, log: Log, work: Path) -> Iterator[FormerDeliveries]:
    """Yield what a cluster has of deliveries; its former sender is fenced off. log: gathered from its topic.

    Raises InputError where workers run meanwhile.
    """
    with kafka.consumer(place.bootstrap) as consumer:
        there = consumer.topics()
    if place.topics.ledger not in there:  # nobody has ever sent anything
        with closing(Ledger(work / "ledger")) as empty:
            never = [1 << 62] * log.partitions
            yield FormerDeliveries(empty, log.shop, log.partitions, never, 0, nullcontext)
        return
    taken = asyncio.run(_in_topic(place, log.partitions))
    journal = TopicJournal(place.bootstrap, place.topics, lambda: True, _say)
    try:
        with closing(LoggedLedger(work / "ledger", journal)) as ledger:
            journal.begin(ledger.next, ledger.follow)
            reached = ledger.reached(DECISIONS)
            unread = _messages(place.bootstrap, topics_of(place.topics.shop).decisions, reached)
            yield FormerDeliveries(
                ledger, place.topics.shop, log.partitions, taken, ledger.reached(DELIVERIES).get(0, 0),
                lambda: closing(place.client()), [_decision(one) for one in unread],
                _messages(place.bootstrap, place.topics.asked, ledger.reached(asked.ASKED)), link_key="",
            )  # fmt: skip
    except Fenced as error:
        raise InputError(place.senders, "a worker of this shop sends", "stop it until it is migrated") from (
            error
        )  # fmt: skip
    finally:
        journal.close()


async def _in_topic(place: ClusterPlace, partitions: int) -> list[int]:
    """Return for each partition how many of its effects are in the topics, or behind them."""
    drained = topics_of(place.topics.shop).drained
    found = [await read_cursor(place.bootstrap, drained, one, [DECISIONS]) for one in range(partitions)]
    return [one[DECISIONS] + 1 for one in found]


def _messages(bootstrap: str, topic: str, reached: dict[int, int]) -> Sequence[bytes]:
    """Return what a topic has behind what was read of it."""
    with kafka.consumer(bootstrap) as consumer:
        parts = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic) or ()]
        begins = consumer.beginning_offsets(parts)
    begin = {at.partition: max(reached.get(at.partition, 0), offset) for at, offset in begins.items()}
    return [one.value for _, records in fetches(bootstrap, topic, begin) for one in records]


def _say(line: str) -> None:
    notes.print(line, markup=False, soft_wrap=True)
