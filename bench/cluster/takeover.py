"""How long a shop's partitions stand still when a worker is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kafka import KafkaProducer

from bench.cluster.cluster import Cluster, cluster
from bench.cluster.rows import Row, Rows
from deploy.servers.places import Place
from streams.worker.intake import SESSION_MS

EVERY_SECONDS = 0.02  # between rows, of customers in turn, so that every partition always has some
SHARED_SECONDS = 90.0  # until both workers have partitions
COMMITTED_SECONDS = 60.0
STEADY_SECONDS = 1.5 * SESSION_MS / 1000


@dataclass(frozen=True)
class TakenOver:
    """Seconds after the kill. assigned: the survivor has opened the first partition that was the other's;
    committed: it has committed rows in all partitions."""

    partitions: int  # that the killed worker had
    assigned: float
    committed: float


def taken_over(kafka: Place, store: Place, folder: Path, customers: int, partitions: int) -> TakenOver:
    """Kill the one of two workers that owns more while rows come, and watch the other take over."""
    with cluster(kafka, store, folder, partitions) as made:
        drawn = Rows(customers)
        made.start("a")
        with made.feed(drawn.past(customers)):
            pass
        made.settle()
        made.start("b")
        with _rows_come(made, _orders(drawn)):
            made.wait(_Shared(made).is_steady, "both workers own partitions", SHARED_SECONDS)
            _wait_for_commits(made, [one.step for one in made.heads()])
            return _kill(made)


def _kill(made: Cluster) -> TakenOver:
    survivor, killed = sorted(made.workers.values(), key=lambda one: len(one.partitions))
    lost = killed.partitions
    before = made.heads()
    began = time.monotonic()
    killed.kill()
    made.wait(lambda: survivor.partitions & lost, "a partition is taken over", COMMITTED_SECONDS)
    assigned = time.monotonic() - began
    made.wait(lambda: survivor.partitions >= lost, "all partitions are taken over", COMMITTED_SECONDS)
    # What the killed one had is behind only when its next owner, in an epoch of its own, has committed.
    epochs = [one.epoch + (number in lost) for number, one in enumerate(before)]
    _wait_for_commits(made, [one.step for one in before], epochs)
    return TakenOver(len(lost), assigned, time.monotonic() - began)


class _Shared:
    """Says when both workers own partitions, the same for a while: a member that comes may go once more, as
    it does its first work."""

    def __init__(self, made: Cluster) -> None:
        self._made, self._owned = made, list[set[int]]()
        self._since = time.monotonic()

    def is_steady(self) -> bool:
        owned = [one.partitions for one in self._made.workers.values()]
        if owned != self._owned:
            self._owned, self._since = owned, time.monotonic()
        whole = all(owned) and sum(map(len, owned)) == self._made.partitions
        return whole and time.monotonic() > self._since + STEADY_SECONDS


def _wait_for_commits(made: Cluster, steps: list[int], epochs: list[int] | None = None) -> None:
    """Wait until every partition has come further than these steps, in these epochs or later ones."""
    least = epochs or [0] * made.partitions

    def all_have() -> bool:
        heads = zip(made.heads(), steps, least, strict=True)
        return all(head.step > step and head.epoch >= epoch for head, step, epoch in heads)

    made.wait(all_have, "every partition has committed", COMMITTED_SECONDS)


def _orders(drawn: Rows) -> Iterator[Row]:
    """Yield orders of all customers in turn, without end."""
    while True:
        yield from drawn.orders(np.arange(drawn.customers))


@contextmanager
def _rows_come(made: Cluster, rows: Iterator[Row]) -> Iterator[None]:
    """Send rows one after the other, in a thread, as long as the block runs."""
    enough = threading.Event()
    producer = KafkaProducer(bootstrap_servers=made.kafka.address)

    def run() -> None:
        for row in rows:
            if enough.wait(EVERY_SECONDS):
                return
            made.send(producer, row)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
        producer.close()
