"""What is read of a cluster, as Prometheus metrics, beside what every form counts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.worker.place import ClusterPlace
from console.cluster.ledger import FollowedLedger
from console.figures import answers_of_nobody, coupons_left, gauge
from console.problems import Problem
from console.serving import Serving
from streams.debezium import kafka
from streams.errors import InputError


class ClusterCollector(Collector):
    """Asks Kafka, and the copy of the ledger, at each scrape. A Kafka that does not answer is a metric too.
    """

    def __init__(self, place: ClusterPlace, serving: Serving, ledger: FollowedLedger) -> None:
        self._place, self._serving, self._ledger = place, serving, ledger

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        with contextlib.suppress(Problem):  # until all of the ledger has been read
            yield answers_of_nobody(self._ledger.seen)
            yield coupons_left(self._ledger.seen, self._serving.shop, self._serving.now())
        try:
            waiting = self._waiting()
        except InputError:
            yield gauge("tintype_kafka_up", "Whether Kafka answers", 0)
            return
        yield gauge("tintype_kafka_up", "Whether Kafka answers", 1)
        told = "Messages of a source's topic that are not in the log yet"
        family = GaugeMetricFamily("tintype_intake_waiting", told, labels=("topic",))
        for topic, number in waiting.items():
            family.add_metric([topic], number)
        yield family

    def _waiting(self) -> dict[str, int]:
        """Return for each topic of sources how many messages the workers have not taken into the log."""
        bootstrap, group = self._place.bootstrap, self._place.intake
        with kafka.consumer(bootstrap) as consumer:
            parts = kafka.partitions_of(consumer, sorted(self._place.sources))
            first, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        with kafka.admin(bootstrap) as admin:
            taken = {at: one.offset for at, one in admin.list_group_offsets(group)[group].items()}
        found: dict[str, int] = {}
        for at in parts:
            found[at.topic] = found.get(at.topic, 0) + ends[at] - max(taken.get(at, 0), first[at])
        return found
