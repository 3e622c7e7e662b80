"""What was applied to a cluster, and what is known of its triggers' lives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from app.cluster.deliveries import cluster_ledger
from app.life.gate import past_of_applied
from app.life.known import Known
from app.shop import Shop
from app.worker.place import ClusterPlace, cluster_place
from sinks.deliveries.listing import off
from streams.changes.settings import Applied
from streams.debezium import kafka
from streams.worker.log_reader import LogReader


def applied_last(place: ClusterPlace) -> Applied:
    """Return what was applied last; number 0 and no settings where nothing was. Raises InputError where Kafka
    does not answer."""
    with kafka.consumer(place.bootstrap) as consumer:
        if place.topics.settings not in consumer.topics():
            return Applied(0, "")
    with contextlib.closing(LogReader(place.bootstrap, place.topics)) as reader:
        found = reader.newest(place.topics.settings)
    return Applied(0, "") if found is None else Applied.decoded(found)


@contextlib.contextmanager
def known_there(folder: Path, shop: Shop) -> Iterator[Known]:
    """Yield what a cluster knows, as far as the worker that sends has read. Raises InputError where Kafka
    does not answer, or nothing was applied yet."""
    place = cluster_place(folder, shop)
    past = past_of_applied(applied_last(place))
    with cluster_ledger(place) as ledger:
        connection = ledger.seen.connection
        yield Known(past, off(connection), connection)
