"""What customers and rows take in each place of a cluster: ``python -m bench.footprint [customers] [rows]``.

One worker takes in a view of every customer and ``rows`` rows of the past (100,000 and 300,000 when absent).
Printed: bytes in the store, by what they are (MEMORY USAGE of every key); bytes of the topic ``changes`` and
of the worker's copy a record; what the worker holds in memory a customer, above what it held before; and the
processor time of the store a row. Real servers are started where none run.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from bench.cluster.cluster import Cluster, Running, cluster
from bench.cluster.measure import servers
from bench.cluster.rows import Rows
from deploy.servers.places import Place
from streams.changes.topics import Topics
from streams.worker.log_reader import LogReader

CUSTOMERS, ROWS, PARTITIONS = 100_000, 300_000, 4
_TOGETHER = 1000


@dataclass(frozen=True)
class Footprint:
    """In bytes. store: by kind of key; logged: of the messages of ``changes``, which hold so many records;
    copied: of the worker's copy; held: what its memory grew by; seconds: of the store's processor time."""

    store: Counter[str]
    keys: Counter[str]
    logged: int
    records: int
    copied: int
    held: int
    seconds: float


def measured(kafka: Place, store: Place, folder: Path, customers: int, rows: int) -> Footprint:
    """Take in and look everywhere. Raises what `bench.cluster.cluster.Cluster.wait` raises."""
    with cluster(kafka, store, folder, PARTITIONS) as made:
        worker = made.start("worker")
        with made.feed(Rows(1).past(0)):
            pass
        made.settle()
        before, at_work = _resident(worker), _seconds(made)
        with made.feed(Rows(customers).past(rows)):
            pass
        made.settle()
        held, seconds = _resident(worker) - before, _seconds(made) - at_work
        bytes_, keys = _in_store(made)
        logged, records = _in_log(made)
        copied = sum(path.stat().st_size for path in worker.data.glob("*/log.sqlite*"))
    return Footprint(bytes_, keys, logged, records, copied, held, seconds)


def _resident(worker: Running) -> int:
    """Return the bytes of memory that the worker's process has."""
    text = Path(f"/proc/{worker.process.pid}/status").read_text("ascii")
    return 1024 * int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def _seconds(made: Cluster) -> float:
    """Return the processor seconds of the store's process so far."""
    with redis.Redis.from_url(made.store_url) as client:
        used = client.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def _in_store(made: Cluster) -> tuple[Counter[str], Counter[str]]:
    """Return bytes and numbers of the shop's keys by their kinds."""
    client = redis.Redis.from_url(made.store_url)
    bytes_, keys = Counter[str](), Counter[str]()
    for part in _parts(client.scan_iter(f"tintype:{{{made.name}/*", count=_TOGETHER)):
        pipeline = client.pipeline(transaction=False)
        for key in part:
            pipeline.memory_usage(key, samples=0)
        for key, size in zip(part, pipeline.execute(), strict=True):
            kind = key.partition(b"}:")[2].partition(b":")[0].decode()
            bytes_[kind] += size or 0
            keys[kind] += 1
    client.close()
    return bytes_, keys


def _parts(keys: Iterator[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    for key in keys:
        part.append(key)
        if len(part) == _TOGETHER:
            yield part
            part = []
    yield part


def _in_log(made: Cluster) -> tuple[int, int]:
    """Return bytes and records of the topic ``changes``."""
    reader, size, records = LogReader(made.kafka.address, Topics(made.name)), 0, 0
    try:
        for one in reader.log(None):
            size += len(one.value) + sum(len(name) + len(value) for name, value in one.headers.items())
            records += one.count
    finally:
        reader.close()
    return size, records


def main(customers: int = CUSTOMERS, rows: int = ROWS) -> None:
    """Print it."""
    with servers() as places, TemporaryDirectory(prefix="tintype-bench-") as name:
        found = measured(places.kafka, places.store, Path(name) / "shop", customers, rows)
    print(f"{customers:,} customers, {found.records:,} records")
    for kind, size in sorted(found.store.items(), key=lambda one: -one[1]):
        if found.keys[kind] > PARTITIONS:
            print(f"  store, {kind}: {found.keys[kind]:,} keys, {size / found.keys[kind]:,.0f} bytes each")
    print(f"  store, all: {sum(found.store.values()) / customers:,.0f} bytes a customer")
    print(f"  topic changes: {found.logged / found.records:,.0f} bytes a record")
    print(f"  a worker's copy: {found.copied / found.records:,.0f} bytes a record")
    print(f"  the store's processor time: {found.seconds / found.records * 1e6:,.1f} us a record")
    print(f"  a worker's memory: {found.held / customers:,.0f} bytes a customer, {found.held / 1e6:,.0f} MB")


if __name__ == "__main__":
    main(*(int(one.replace("_", "")) for one in sys.argv[1:]))
