"""``tintype worker --metrics``: what a worker has done, as Prometheus text.

What the API of one process counts too has the same name here (`console.figures`), with a partition or a lane
as its label.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.restore import FOLDER
from app.worker.figures import PartitionFigures
from app.worker.partition import OwnedPartition
from app.worker.worker import Worker
from streams.errors import InputError
from streams.worker.figures import IntakeFigures, LaneFigures

# with the time now; None: nothing to tell yet
OfPartition = Callable[[PartitionFigures, float], float | None]

COUNTED: list[tuple[str, str, OfPartition]] = [
    ("tintype_records", "Records whose result is in the store", lambda one, _: one.records),
    ("tintype_effects", "Transitions and decisions committed", lambda one, _: one.effects),
    ("tintype_commits", "Times that everything was applied and committed", lambda one, _: one.commits),
    ("tintype_store_set_back", "Times that the store had lost something", lambda one, _: one.set_back),
    ("tintype_snapshots_not_shared", "Times that a snapshot could not be uploaded",
     lambda one, _: one.not_shared),
]  # fmt: skip
GAUGED: list[tuple[str, str, OfPartition]] = [
    (
        "tintype_clock_timestamp_seconds", "Start of the clock's minute",
        lambda one, _: one.clock * 60 if one.clock > 0 else None,
    ),
    (
        "tintype_lag_seconds", "Age of what is served",
        lambda one, now: 0.0 if one.behind_since is None else max(0.0, now - one.behind_since),
    ),
    ("tintype_lag_blocks", "Offsets of the log that were not fetched yet", lambda one, _: one.blocks_behind),
    (
        "tintype_outbox_effects", "Effects that a relay has not taken over yet",
        lambda one, _: max(0, one.effects - one.drained),
    ),
    ("tintype_history_lag_seconds", "How long the oldest of what is not copied waits",
     lambda one, _: one.history_lag),
    ("tintype_replayed_records", "Records applied before it was ready", lambda one, _: one.replayed),
    (
        "tintype_shared_snapshot_timestamp_seconds", "When a snapshot was last uploaded",
        lambda one, _: one.shared_at or None,
    ),
    (
        "tintype_store_away_seconds", "How long commits have waited for the store",
        lambda one, now: now - one.store_away if one.store_away else 0.0,
    ),
]  # fmt: skip
OF_LANE: list[tuple[str, str, Callable[[LaneFigures], float]]] = [
    ("tintype_messages", "Messages taken in", lambda one: one.messages),
    ("tintype_messages_rejected", "Messages put aside", lambda one: one.rejected),
    ("tintype_claims", "Times that the lane was claimed", lambda one: one.claims),
]
OF_INTAKE: list[tuple[str, str, Callable[[IntakeFigures], float]]] = [
    ("tintype_batches", "Batches written to the log", lambda one: one.batches),
    ("tintype_claims_lost", "Claims lost to another, or to an index that was set back", lambda one: one.lost),
    ("tintype_busy_waits", "Waits for a worker about to change the same", lambda one: one.busy_waits),
    ("tintype_intake_failures", "Batches that Kafka or the store refused", lambda one: one.failures),
]


class WorkerCollector(Collector):
    """Reads a worker at each scrape, in the scrape's own thread: plain numbers only."""

    def __init__(self, worker: Worker, now: Callable[[], float] = time.time) -> None:
        self._worker, self._now = worker, now

    def collect(self) -> Iterator[Metric]:
        """Yield every metric. A partition that went to another worker is not told of any more."""
        owning, keeper = self._worker.owning, self._worker.keeper
        owned = {str(number): one for number, one in sorted(owning.partitions.copy().items())}
        yield _gauge("tintype_partitions_owned", "Partitions of the log that it owns", len(owned))
        claimed = len(keeper.lanes.standings)
        yield _gauge("tintype_lanes_owned", "Lanes of sources' topics that it has claimed", claimed)
        told = "Partitions let go because the store has another owner"
        yield CounterMetricFamily("tintype_fenced_commits", told, value=owning.fenced)
        made = self._worker.reducer.made
        if made >= 0:
            told = "Newest minute of which it has made cut points"
            yield _gauge("tintype_cuts_timestamp_seconds", told, made * 60)
        sender = self._worker.sending.figures
        yield _gauge("tintype_sender", "Whether it is the worker that sends", int(sender.at_work))
        told = "Records that it has committed to the ledger of deliveries"
        yield CounterMetricFamily("tintype_ledger_records", told, value=sender.commits)
        if sender.at_work:
            told = "Deliveries of which nobody knows whether they are out"
            yield _gauge("tintype_deliveries_unknown", told, sender.unknown)
            told = "Triggers, channels or everything that is switched off"
            yield _gauge("tintype_switched_off", told, sender.off)
        yield from _partitions({number: one.figures for number, one in owned.items()}, self._now())
        yield from _states(owned)
        for name, told, read in OF_INTAKE:
            yield CounterMetricFamily(name, told, value=read(keeper.figures))
        yield from _lanes(sorted(keeper.of_lane.copy().items()))


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


def _partitions(figures: Mapping[str, PartitionFigures], now: float) -> Iterator[Metric]:
    for table, kind in ((COUNTED, CounterMetricFamily), (GAUGED, GaugeMetricFamily)):
        for name, told, read in table:
            family = kind(name, told, labels=["partition"])
            for number, one in figures.items():
                value = read(one, now)
                if value is not None:
                    family.add_metric([number], value)
            yield family
    told = "Applying a batch and its commit"
    seconds = HistogramMetricFamily("tintype_commit_seconds", told, labels=["partition"])
    for number, one in figures.items():
        seconds.add_metric([number], one.commit_seconds.cumulative(), one.commit_seconds.total)
    yield seconds


def _states(owned: Mapping[str, OwnedPartition]) -> Iterator[Metric]:
    """Tell of readiness and snapshots; these are looked for in their folder, since a child writes them."""
    label = ["partition"]
    ready = GaugeMetricFamily("tintype_ready", "Whether the log is caught up with", labels=label)
    told = "When the newest snapshot was written"
    written = GaugeMetricFamily("tintype_snapshot_timestamp_seconds", told, labels=label)
    told = "Records in the newest snapshot; a start replays what came after"
    records = GaugeMetricFamily("tintype_snapshot_records", told, labels=label)
    for number, one in owned.items():
        ready.add_metric([number], int(one.owner is not None))
        found = _newest_snapshot(one.folder / FOLDER)
        if found is not None:
            written.add_metric([number], found[0])
            records.add_metric([number], found[1])
    yield from (ready, written, records)


def _newest_snapshot(folder: Path) -> tuple[float, int] | None:
    """Return (when it was written, its number of records); None while there is none."""
    for path in sorted(folder.glob("[0-9]*/snapshot.json"), reverse=True):
        try:
            return path.stat().st_mtime, int(path.parent.name)
        except FileNotFoundError:
            continue  # it was deleted just now
    return None


def _lanes(figures: Sequence[tuple[str, LaneFigures]]) -> Iterator[Metric]:
    for name, told, read in OF_LANE:
        family = CounterMetricFamily(name, told, labels=["lane"])
        for lane, one in figures:
            family.add_metric([lane], read(one))
        yield family


def registry_of(worker: Worker, now: Callable[[], float] = time.time) -> CollectorRegistry:
    """Return what is served: the worker, and its process (memory, processor time, open files)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(WorkerCollector(worker, now))
    return registry


def serve(worker: Worker, host: str, port: int) -> Callable[[], None]:
    """Serve the metrics in a thread; return what ends that. Raises InputError where it cannot listen."""
    try:
        server, thread = start_http_server(port, host, registry_of(worker))
    except OSError as error:
        problem = f"metrics cannot be served here: {error.strerror or error}"
        raise InputError(f"{host}:{port}", problem, "name another port: --metrics PORT") from None

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return close
