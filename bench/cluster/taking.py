"""What a row costs a worker, from a source's topic to the profile committed, and how fast rows go through."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cluster.cluster import POLL_SECONDS, Cluster, Running, cluster, is_behind
from bench.cluster.rows import Rows
from deploy.servers.places import Place


@dataclass(frozen=True)
class Taken:
    """microseconds: of the worker's CPU a row, its children's included; rate: rows a second by the clock."""

    microseconds: float
    rate: float


@dataclass(frozen=True)
class Sample:
    """moment: monotonic seconds; cpu: the worker's CPU seconds; steps: where the store's partitions stood."""

    moment: float
    cpu: float
    steps: list[int]


def taken(kafka: Place, store: Place, folder: Path, rows: int, customers: int, partitions: int) -> Taken:
    """Let one worker take rows in that were written before, and measure it.

    The worker runs already, with a past of every customer behind it, and is idle: rows are written in one
    transaction, and the measurement goes from its commit to the last profile's. So nothing of the worker's
    start is in it.
    """
    with cluster(kafka, store, folder, partitions) as made:
        drawn = Rows(customers)
        worker = made.start("worker")
        with made.feed(drawn.past(rows // 2)):
            pass
        made.settle()
        with made.feed(drawn.changes(rows)):
            watching = Samples(made, worker)
            began = watching.take()
        ends = made.settle()
        ended = watching.first_behind(ends)
    cpu, seconds = ended.cpu - began.cpu, ended.moment - began.moment
    return Taken(cpu / rows * 1e6, rows / seconds)


class Samples:
    """Looks at a worker and the store twenty times a second, in a thread, until `first_behind`."""

    def __init__(self, made: Cluster, worker: Running) -> None:
        self._made, self._worker = made, worker
        self._enough = threading.Event()
        self._samples = [self.take()]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take(self) -> Sample:
        """Look once."""
        steps = [one.step for one in self._made.heads()]
        return Sample(time.monotonic(), self._worker.cpu, steps)

    def _run(self) -> None:
        while not self._enough.wait(POLL_SECONDS):
            self._samples.append(self.take())

    def first_behind(self, ends: list[int]) -> Sample:
        """Return the first sample at which all partitions had these ends of the log behind them."""
        self._enough.set()
        self._thread.join()
        self._samples.append(self.take())
        return next(one for one in self._samples if is_behind(ends, one.steps))
