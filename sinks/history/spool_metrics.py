"""How much waits for history's server, as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sinks.history.spool import SpoolFigures

_BYTES = "Bytes on this worker's disk that wait for history's server"
_OLDEST = "How long the oldest of what waits for history's server has waited"


class SpoolCollector(Collector):
    """Reads the figures of each partition's spool at each scrape."""

    def __init__(self, figures: Callable[[], Mapping[int, SpoolFigures]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield both metrics, with a value for each partition."""
        size = GaugeMetricFamily("tintype_history_spool_bytes", _BYTES, labels=("partition",))
        oldest = GaugeMetricFamily("tintype_history_spool_oldest_seconds", _OLDEST, labels=("partition",))
        for partition, one in sorted(self._figures().items()):
            size.add_metric([str(partition)], one.bytes)
            oldest.add_metric([str(partition)], one.oldest_seconds)
        yield from (size, oldest)
