"""What is read of the shop at work in this process, as Prometheus metrics."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import redis
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.embedded import Embedded
from console.figures import answers_of_nobody, counter, coupons_left, gauge, histogram
from console.serving import Serving
from sinks.deliveries.ledger import Ledger
from sinks.store.store import Head
from streams.log.view import LogView


class ShopCollector(Collector):
    """Reads the shop at work at each scrape: nothing is counted twice. Beside a `StoreCollector`."""

    def __init__(self, opened: Embedded, serving: Serving, ledger: Ledger, view: LogView) -> None:
        self._opened, self._serving, self._ledger, self._view = opened, serving, ledger, view

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        service = self._opened.service
        figures = service.figures
        yield gauge("tintype_ready", "Whether the log is caught up with", int(service.ready))
        with contextlib.suppress(redis.RedisError):
            yield from self._outbox(self._serving.heads())
        yield from self._history()
        yield counter("tintype_messages", "Messages taken in", figures.messages)
        yield counter("tintype_messages_rejected", "Messages put aside", figures.rejected)
        yield counter("tintype_commits", "Times that everything was applied and committed", figures.commits)
        yield counter("tintype_batches", "Batches written to the log", figures.batches)
        away = self._serving.now() - figures.store_away if figures.store_away else 0.0
        yield gauge("tintype_store_away_seconds", "How long commits have waited for the store", away)
        yield histogram("tintype_batch_messages", "Messages of a batch", figures.batch_messages)
        yield histogram("tintype_append_seconds", "Writing a batch to the log", figures.append_seconds)
        yield histogram("tintype_commit_seconds", "Applying a batch and its commit", figures.commit_seconds)
        unknown = self._ledger.unknown()
        yield gauge("tintype_deliveries_unknown", "Deliveries of which nobody knows the end", unknown)
        off = len(self._opened.relays.sender.off() or ())
        yield gauge("tintype_switched_off", "Triggers, channels or everything that is switched off", off)
        yield coupons_left(self._ledger, self._serving.shop, self._serving.now())
        yield answers_of_nobody(self._ledger)
        dead = GaugeMetricFamily("tintype_dead_letters", "Messages put aside", labels=("source", "state"))
        for names, number in self._view.dead_letters().items():
            dead.add_metric(names, number)
        yield dead

    def _outbox(self, heads: list[Head]) -> Iterator[Metric]:
        label = ("partition",)
        drained, store = self._opened.relays.drained(), self._serving.store
        waiting = GaugeMetricFamily(
            "tintype_outbox_effects", "Effects that a relay has not taken over yet", labels=label
        )
        size = GaugeMetricFamily("tintype_outbox_bytes", "Memory of the outbox in the store", labels=label)
        for number, (head, first) in enumerate(zip(heads, drained, strict=True)):
            waiting.add_metric([str(number)], max(0, head.effects - first))
            size.add_metric([str(number)], store.outbox_bytes(number))
        yield from (waiting, size)

    def _history(self) -> Iterator[Metric]:
        lag = self._opened.relays.lag
        told = "How long the oldest of what is not in history has waited"
        yield gauge("tintype_history_lag_seconds", told, lag.seconds)
        yield gauge("tintype_history_waiting", "Records and effects not in history yet", lag.rows)
