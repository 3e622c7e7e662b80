"""What the API counts of itself, and what it reads of the store, as Prometheus metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

import redis
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.figures import Buckets
from app.shop import Shop
from sinks.coupons.counts import left
from sinks.deliveries.answers import of_nobody
from sinks.deliveries.ledger import Ledger
from sinks.store.store import Head

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
        self._known: dict[tuple[str, str, int], tuple[Histogram, Counter]] = {}

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
            seconds, requests = self._of(scope["method"], path, status)
            seconds.observe(time.perf_counter() - begun)
            requests.inc()

    def _of(self, method: str, path: str, status: int) -> tuple[Histogram, Counter]:
        """Return the two series; to find them takes longer than to add to them."""
        found = self._known.get((method, path, status))
        if found is None:
            figures = self._figures
            found = figures.seconds.labels(method, path), figures.requests.labels(method, path, str(status))
            self._known[method, path, status] = found
        return found


class Stands(Protocol):
    """Tells where the store stands (`console.serving.Serving`)."""

    def heads(self) -> list[Head]:
        """Return where each partition stands."""

    def standing(self, heads: list[Head]) -> dict[str, Any]:
        """Return as_of, position and lag_ms."""

    def late_ms(self, clock: int) -> int:
        """Return how far a clock is behind the present minute, in ms."""


class StoreCollector(Collector):
    """Reads the store at each scrape. A store that does not answer is a metric too."""

    def __init__(self, store: Stands) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield how far the partitions are."""
        try:
            heads = self._store.heads()
        except redis.RedisError:
            heads = []
        yield gauge("tintype_store_up", "Whether the profile store answers", 1 if heads else 0)
        if heads:
            yield from self._partitions(heads)
            lag = self._store.standing(heads)["lag_ms"]
            yield gauge("tintype_lag_seconds", "Age of what is served", lag / 1000)

    def _partitions(self, heads: list[Head]) -> Iterator[Metric]:
        label = ("partition",)
        records = CounterMetricFamily("tintype_records", "Records whose result is in the store", labels=label)
        effects = CounterMetricFamily("tintype_effects", "Transitions and decisions committed", labels=label)
        clock = GaugeMetricFamily(
            "tintype_clock_timestamp_seconds", "Start of the clock's minute", labels=label
        )
        late = GaugeMetricFamily(
            "tintype_partition_lag_seconds", "How far the clock is behind the present minute", labels=label
        )
        for number, head in enumerate(heads):
            records.add_metric([str(number)], head.step)
            effects.add_metric([str(number)], head.effects)
            if head.clock > 0:
                clock.add_metric([str(number)], head.clock * 60)
                late.add_metric([str(number)], self._store.late_ms(head.clock) / 1000)
        yield from (records, effects, clock, late)


def gauge(name: str, told: str, value: float) -> Metric:
    """Return a gauge of one value."""
    return GaugeMetricFamily(name, told, value=value)


def counter(name: str, told: str, value: float) -> Metric:
    """Return a counter of one value."""
    return CounterMetricFamily(name, told, value=value)


def histogram(name: str, told: str, held: Buckets) -> Metric:
    """Return a histogram."""
    return HistogramMetricFamily(name, told, buckets=held.cumulative(), sum_value=held.total)


def answers_of_nobody(ledger: Ledger) -> Metric:
    """Return how many answers came from an address that nobody is known by."""
    told = "Answers of customers from an address that nobody is known by"
    found = CounterMetricFamily("tintype_answers_of_nobody", told, labels=("answer",))
    for kind, number in of_nobody(ledger).items():
        found.add_metric([kind], number)
    return found


def coupons_left(ledger: Ledger, shop: Shop, now: float) -> Metric:
    """Return how many codes can be claimed, by pool."""
    told = "Codes of a pool of coupons that can be claimed"
    found = GaugeMetricFamily("tintype_coupons_left", told, labels=("pool",))
    for name, pool in shop.coupons.items():
        found.add_metric([name], left(ledger, name, pool, shop.settings.zone, now))
    return found
