"""11.11: many times the usual load for some minutes; how many rows wait, and what memory a worker takes.

Rows are updates of orders that are there, so that a worker's memory has no reason to grow but the backlog.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from bench.cluster.cluster import Cluster, Running, cluster
from bench.cluster.process import session_memory
from bench.cluster.rows import Row, Rows
from bench.cluster.ways import Topics
from deploy.servers.places import Place
from streams.changes.topics import Topics as Log

SLOT_SECONDS = 0.01
SAMPLE_SECONDS = 1.0
GIVE_UP_SECONDS = 900.0
_FIRST_LSN = 1 << 40  # above those of the past


@dataclass(frozen=True)
class Burst:
    """usual: rows a second, before it for so many seconds and behind it until nothing waits; times: as many
    in it; seconds: how long it lasts."""

    usual: int
    before: float
    times: int
    seconds: float


@dataclass(frozen=True)
class Moment:
    """at: seconds since the burst began; waiting: rows in topics that are not in the log; memory: bytes that
    the worker takes."""

    at: float
    waiting: int
    memory: int


@dataclass(frozen=True)
class Worked:
    """moments: once a second; late: by how many seconds the sender was behind at most."""

    burst: Burst
    moments: Sequence[Moment]
    late: float

    @property
    def memory(self) -> float:
        """The most memory from the burst's beginning on, times the most before."""
        before = max(one.memory for one in self.moments if one.at < 0)
        return max(one.memory for one in self.moments if one.at >= 0) / before

    @property
    def waiting(self) -> int:
        """The most rows that waited."""
        return max(one.waiting for one in self.moments)

    @property
    def behind(self) -> float:
        """Seconds from the burst's end until no more rows waited than come in a second."""
        after = (one.at for one in self.moments if one.at >= self.burst.seconds and self._is_over(one))
        return next(after) - self.burst.seconds

    def _is_over(self, moment: Moment) -> bool:
        return moment.waiting <= self.burst.usual


def worked_off(
    kafka: Place, store: Place, folder: Path, customers: int, partitions: int, burst: Burst
) -> Worked:
    """Let one worker go through a burst. Raises TimeoutError where rows still wait a quarter of an hour
    later."""
    with cluster(kafka, store, folder, partitions) as made:
        worker, way = made.start("worker"), Topics(made)
        past = list(Rows(customers).past(10 * customers))
        way.fill(past)
        made.settle()
        rows, moments = updates(past), list[Moment]()
        began = time.monotonic() + burst.before
        with way.writing() as write, _Watching(made, worker, began, moments):
            late = _send(rows, write, burst.usual, began - burst.before, burst.before)
            late = max(late, _send(rows, write, burst.usual * burst.times, began, burst.seconds))
            ended = began + burst.seconds
            while not moments or moments[-1].at < burst.seconds or moments[-1].waiting > burst.usual:
                if time.monotonic() > ended + GIVE_UP_SECONDS:
                    raise TimeoutError(f"{moments[-1].waiting} rows still wait")
                _send(rows, write, burst.usual, time.monotonic(), SAMPLE_SECONDS)
        made.settle()
    return Worked(burst, moments, late)


def updates(past: Sequence[Row]) -> Iterator[Row]:
    """Yield updates of the orders of a past, for ever; positions ascend, amounts differ."""
    orders = [(row, msgspec.json.decode(row.value)) for row in past if row.source == "orders"]
    drawn, lsn = random.Random(11), _FIRST_LSN
    while True:
        row, said = drawn.choice(orders)
        lsn += 56
        before = said["after"]
        said["before"], said["after"] = before, before | {"amount": f"{drawn.randrange(1000)}.{lsn % 100:02}"}
        said["op"], said["source"]["lsn"] = "u", lsn
        said["source"]["sequence"] = f'["{lsn - 9}","{lsn}"]'
        yield row._replace(value=msgspec.json.encode(said))


def _send(
    rows: Iterator[Row], write: Callable[[list[Row]], None], rate: int, begin: float, seconds: float
) -> float:
    """Send at a rate; return by how many seconds it was behind at most."""
    late, slots = 0.0, round(seconds / SLOT_SECONDS)
    for slot in range(slots):
        due = begin + slot * SLOT_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))
        late = max(late, time.monotonic() - due)
        first, last = (round(rate * SLOT_SECONDS * at) for at in (slot, slot + 1))
        if last > first:
            write(list(islice(rows, last - first)))
    return late


class _Watching:
    """Looks at the worker once a second, in a thread, while the block runs."""

    def __init__(self, made: Cluster, worker: Running, began: float, moments: list[Moment]) -> None:
        self._made, self._worker, self._began, self._moments = made, worker, began, moments
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        made, group = self._made, f"{Log(self._made.name).changes}.intake"
        parts = [TopicPartition(made.topic(one), number) for one in made.shop.sources
                 for number in range(made.partitions)]  # fmt: skip
        consumer = KafkaConsumer(bootstrap_servers=made.kafka.address)
        admin = KafkaAdminClient(bootstrap_servers=made.kafka.address)
        try:
            while not self._enough.wait(SAMPLE_SECONDS):
                reached = {at: one.offset for at, one in admin.list_group_offsets(group)[group].items()}
                ends = consumer.end_offsets(parts)
                waiting = sum(end - reached.get(at, 0) for at, end in ends.items())
                memory = session_memory(self._worker.process.pid)
                self._moments.append(Moment(time.monotonic() - self._began, waiting, memory))
        finally:
            admin.close()
            consumer.close()
