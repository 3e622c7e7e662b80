"""What the API counts of itself, and what it reads of the shop at work, as Prometheus metrics."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import redis
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.figures import Buckets
from sinks.store.store import Head

if TYPE_CHECKING:
    from console.serving import Serving

MOST_CALLS = 100  # names of calls that are counted apart: whoever sends them chooses the names
OTHER = "(other)"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class ApiFigures:
    """Requests by path, method and status, and calls that no source takes."""

    def __init__(self) -> None:
        # A second series for each is asked for by nobody.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the package types all but this
        self.registry = CollectorRegistry()
        labels = ("method", "path", "status")
        self.requests = Counter("tintype_http_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "tintype_http_request_seconds", "Time to answer", ("method", "path"), registry=self.registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self._untaken = Counter(
            "tintype_segment_untaken", "Calls in the shape of Segment's API that no source takes",
            ("call", "name"), registry=self.registry,
        )  # fmt: skip
        self._names: set[tuple[str, str]] = set()

    def untaken(self, call: str, name: str) -> None:
        """Count a call that nobody takes, by name as long as there are not too many names."""
        if (call, name) not in self._names and len(self._names) >= MOST_CALLS:
            call, name = OTHER, OTHER
        self._names.add((call, name))
        self._untaken.labels(call, name).inc()


class Timing:
    """ASGI middleware: counts and times every request by the path's template."""

    def __init__(self, app: ASGIApp, figures: ApiFigures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            await self._app(scope, receive, sending)
        finally:
            path = getattr(scope.get("route"), "path", OTHER)
            self._figures.seconds.labels(scope["method"], path).observe(time.perf_counter() - begun)
            self._figures.requests.labels(scope["method"], path, str(status)).inc()


class ShopCollector(Collector):
    """Reads the shop at work at each scrape: nothing is counted twice."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def collect(self) -> Iterator[Metric]:
        """Yield every metric. A store that does not answer is a metric too."""
        figures = self._serving.service.figures
        try:
            heads = self._serving.read([])[0]
        except redis.RedisError:
            heads = []
        yield _gauge("tintype_store_up", "Whether the profile store answers", 1 if heads else 0)
        yield _gauge("tintype_ready", "Whether the log is caught up with", int(self._serving.service.ready))
        if heads:
            yield from _partitions(heads)
            lag = self._serving.standing(heads)["lag_ms"]
            yield _gauge("tintype_lag_seconds", "Age of what is served", lag / 1000)
            with contextlib.suppress(redis.RedisError):
                yield from self._outbox(heads)
        yield from self._history()
        yield _counter("tintype_messages", "Messages taken in", figures.messages)
        yield _counter("tintype_messages_rejected", "Messages put aside", figures.rejected)
        yield _counter("tintype_commits", "Times that everything was applied and committed", figures.commits)
        yield _counter("tintype_batches", "Batches written to the log", figures.batches)
        away = self._serving.now() - figures.store_away if figures.store_away else 0.0
        yield _gauge("tintype_store_away_seconds", "How long commits have waited for the store", away)
        yield _histogram("tintype_batch_messages", "Messages of a batch", figures.batch_messages)
        yield _histogram("tintype_append_seconds", "Writing a batch to the log", figures.append_seconds)
        yield _histogram("tintype_commit_seconds", "Applying a batch and its commit", figures.commit_seconds)
        unknown = self._serving.ledger.unknown()
        yield _gauge("tintype_deliveries_unknown", "Claimed deliveries without an end", unknown)
        dead = GaugeMetricFamily("tintype_dead_letters", "Messages put aside", labels=("source", "state"))
        for names, number in self._serving.view.dead_letters().items():
            dead.add_metric(names, number)
        yield dead


    def _outbox(self, heads: list[Head]) -> Iterator[Metric]:
        label = ("partition",)
        drained, store = self._serving.relays.drained(), self._serving.store
        waiting = GaugeMetricFamily(
            "tintype_outbox_effects", "Effects that a relay has not taken over yet", labels=label
        )
        size = GaugeMetricFamily("tintype_outbox_bytes", "Memory of the outbox in the store", labels=label)
        for number, (head, first) in enumerate(zip(heads, drained, strict=True)):
            waiting.add_metric([str(number)], max(0, head.effects - first))
            size.add_metric([str(number)], store.outbox_bytes(number))
        yield from (waiting, size)

    def _history(self) -> Iterator[Metric]:
        lag = self._serving.relays.lag
        told = "How long the oldest of what is not in history has waited"
        yield _gauge("tintype_history_lag_seconds", told, lag.seconds)
        yield _gauge("tintype_history_waiting", "Records and effects not in history yet", lag.rows)


def _partitions(heads: list[Head]) -> Iterator[Metric]:
    label = ("partition",)
    records = CounterMetricFamily("tintype_records", "Records whose result is in the store", labels=label)
    effects = CounterMetricFamily("tintype_effects", "Transitions and decisions committed", labels=label)
    clock = GaugeMetricFamily("tintype_clock_timestamp_seconds", "Start of the clock's minute", labels=label)
    for number, head in enumerate(heads):
        records.add_metric([str(number)], head.step)
        effects.add_metric([str(number)], head.effects)
        if head.clock > 0:
            clock.add_metric([str(number)], head.clock * 60)
    yield from (records, effects, clock)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


def _counter(name: str, told: str, value: float) -> Metric:
    return CounterMetricFamily(name, told, value=value)


def _histogram(name: str, told: str, held: Buckets) -> Metric:
    return HistogramMetricFamily(name, told, buckets=held.cumulative(), sum_value=held.total)
