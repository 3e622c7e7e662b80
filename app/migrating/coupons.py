"""Codes of the former shop are given out in the cluster from its migration on, and not twice."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from app.migrating.cluster import place_of_shop
from app.migrating.former import Former
from app.worker.place import ClusterPlace
from sinks.coupons.carrying import carried
from sinks.deliveries.journal import TopicJournal
from sinks.deliveries.logged import LedgerCopy
from sinks.deliveries.records import encoded
from sinks.deliveries.tables import FILE_NAME, connect
from streams.debezium import kafka
from streams.migrate.send import Sender

_TOGETHER = 20  # messages of a transaction
log = logging.getLogger(__name__)


def carry_codes(origin: Former, place: ClusterPlace, sender: Sender, work: Path) -> None:
    """Write the codes of a former ledger into that of a cluster of which no worker runs yet. Again after a
    kill: what is there already stays as it is. Whatever carries deliveries over has to come before it."""
    with _former_ledger(origin, place, work) as connection:
        messages = map(encoded, carried(connection)) if connection else iter(())
        while some := list(islice(messages, _TOGETHER)):
            with sender.transaction():
                for one in some:
                    sender.message(place.topics.ledger, one, partition=0)


@contextlib.contextmanager
def _former_ledger(
    origin: Former, place: ClusterPlace, work: Path
) -> Iterator[sqlite3.Connection | None]:  # fmt: skip
    """Yield the former ledger's file, or a copy of a cluster's, whose sender can write no more; None where
    there is none."""
    if origin.apart is None:
        if not (origin.log.folder / FILE_NAME).exists():
            yield None
            return
        with closing(connect(origin.log.folder, write=False)) as connection:
            yield connection
        return
    there = place_of_shop(place, origin.log.shop)
    with kafka.consumer(there.bootstrap) as consumer:
        if there.topics.ledger not in consumer.topics():
            yield None
            return
    with closing(LedgerCopy(work / "codes")) as copy:
        journal = TopicJournal(there.bootstrap, there.topics, lambda: True, log.warning)
        with closing(journal):
            journal.begin(copy.next, copy.follow)
        yield copy.connection
