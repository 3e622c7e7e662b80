"""`tintype bench cluster`: what a worker costs, against Faust; a take-over; and how long a row is on its way.

Real servers are started where none run, and ended again. Nothing of PostgreSQL and Debezium is in any figure:
a row's way begins in its source's topic.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.cluster.peer import faust
from bench.cluster.sizes import Sizes
from bench.cluster.takeover import TakenOver, taken_over
from bench.cluster.taking import Taken, taken
from bench.cluster.waits import Waits, waits
from bench.figures import figure
from bench.outcome import Outcome, markdown
from deploy.servers import keeper, state
from deploy.servers.places import Place
from deploy.servers.process import Running, birth
from streams.errors import InputError

PEER = "Faust, count, sum and last in a Table, no windows"


def measure(sizes: Sizes) -> Outcome:
    """Return rows and a table. Takes ten minutes.

    Raises InputError where a server cannot run here, CalledProcessError if the kernel does not compile, and
    what `measured` raises.
    """
    with _servers() as (kafka, store):
        subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
        return measured(kafka, store, sizes)


def measured(kafka: Place, store: Place, sizes: Sizes) -> Outcome:
    """Measure on servers that run. Raises TimeoutError where something does not come to be in time, and
    RuntimeError where a worker ends."""
    busy = f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    with TemporaryDirectory(prefix="tintype-bench-") as name:
        folder = Path(name)
        shared = sizes.shared_customers, sizes.shared_partitions
        rows, tables = _against_faust(kafka, store, folder, sizes) if sizes.partitions else ([], [])
        if sizes.take_over:
            rows += _over(taken_over(kafka, store, folder / "taken-over", *shared), sizes)
        if sizes.rates:
            waited = waits(kafka, store, folder / "waits", *shared, sizes.rates, sizes.seconds)
            rows += [one for wait in waited for one in _waits(wait, sizes)]
    return Outcome(rows, [*tables, f"PostgreSQL and Debezium are in no figure; {busy}."])


def _against_faust(
    kafka: Place, store: Place, folder: Path, sizes: Sizes
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return rows, and the table."""
    peer = faust(kafka, store, folder, sizes.peer_rows, min(sizes.customers), sizes.peer_partitions)
    rows, cells = [], []
    for customers in sizes.customers:
        for partitions in sizes.partitions:
            own = folder / f"{customers}-{partitions}"
            mine = taken(kafka, store, own, sizes.rows, customers, partitions)
            rows += _taking(customers, partitions, mine, peer)
            ratio = peer.microseconds / mine.microseconds
            cells.append([f"{customers:,}", partitions, mine.microseconds, mine.rate, ratio])
    headings = ["customers", "partitions", "us CPU a row", "rows a second", "Faust's CPU, times ours"]
    return rows, [markdown(headings, cells), _said(sizes)]


@contextmanager
def _servers() -> Iterator[tuple[Place, Place]]:
    """Start Kafka and Redis where they do not run; end afterwards those that were started."""
    names = ("kafka", "redis")
    for one, command in keeper.missing(names).items():
        raise InputError(one, "it cannot run here", command)
    me = Running(os.getpid(), birth(os.getpid()) or "")
    places = keeper.start(names, me)
    try:
        yield places["kafka"], places["redis"]
    finally:
        if any(one.owner == me for one in state.read().values()):
            keeper.stop(me)


def _taking(customers: int, partitions: int, mine: Taken, peer: Taken) -> list[dict[str, Any]]:
    where = f"{customers:,} customers, partitions: {partitions}"
    return [
        figure(
            f"a row from its topic to the profile committed, {where}", mine.microseconds, "us CPU",
            f"{PEER}: {peer.microseconds:.0f} us", peer.microseconds / mine.microseconds, None,
        ),
        figure(
            f"rows taken in by one worker, {where}", mine.rate, "1/s",
            f"{PEER}: {peer.rate:,.0f}", mine.rate / peer.rate, None,
        ),
    ]  # fmt: skip


def _over(over: TakenOver, sizes: Sizes) -> list[dict[str, Any]]:
    what = f"kill -9 of a worker that owns {over.partitions} of {sizes.shared_partitions} partitions"
    recovered = over.committed - over.assigned
    seconds = {
        "until another is assigned the first": over.assigned,
        "from there until all have committed": recovered,
        "both": over.committed,
    }
    return [figure(f"{what}: {name}", value, "s", "", None, None) for name, value in seconds.items()]


def _waits(wait: Waits, sizes: Sizes) -> list[dict[str, Any]]:
    partitions = sizes.shared_partitions
    what = f"a row due in its topic to the profile readable, {wait.rate:,} rows/s, partitions: {partitions}"
    late = f"sent up to {wait.late:.0f} ms after it was due"
    shares = {"p50": 0.5, "p99": 0.99}
    found = {f"{what}, {name}": wait.of(share) for name, share in shares.items()}
    return [figure(one, value, "ms", late, None, None) for one, value in found.items()]


def _said(sizes: Sizes) -> str:
    return (
        f"One worker, {sizes.rows:,} rows written before; its sources' topics and its log have the same "
        f"number of partitions. Faust: {sizes.peer_rows:,} rows of the same stream, in "
        f"{sizes.peer_partitions} partitions; it keeps count, sum and last of each table and no more: its "
        "Tables have no windows for rows that change or come late, no cut points over all customers, no "
        "rules, and no fence."
    )
