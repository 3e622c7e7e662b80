"""`tintype bench cluster`: what a worker costs, against its peers; a take-over; how long a row is on its way.

Real servers are started where none run, and ended again. PostgreSQL and Debezium are only in the figures that
say so: elsewhere a row's way begins in its source's topic.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cluster import curves, told
from bench.cluster.burst import worked_off
from bench.cluster.closing import closing
from bench.cluster.costs import costs
from bench.cluster.sizes import Sizes
from bench.cluster.tables import shop_tables
from bench.cluster.takeover import taken_over
from bench.cluster.waits import Waits, waits
from bench.outcome import Outcome
from deploy.servers import keeper, state
from deploy.servers.places import Place
from deploy.servers.process import Running, birth
from streams.errors import InputError


def measure(sizes: Sizes) -> Outcome:
    """Return rows and a table. Takes ten minutes.

    Raises InputError where a server cannot run here, CalledProcessError if the kernel does not compile, and
    what `measured` raises.
    """
    with servers(bool(sizes.stored)) as places:
        subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
        return measured(places, sizes)


@dataclass(frozen=True)
class Servers:
    """Those that run. lacking: why there are none of a database, if there are none."""

    kafka: Place
    store: Place
    postgres: Place | None = None
    connect: Place | None = None
    lacking: str = ""


def measured(servers: Servers, sizes: Sizes) -> Outcome:
    """Measure on servers that run. Raises TimeoutError where something does not come to be in time, and
    RuntimeError where a worker ends."""
    busy = f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    with TemporaryDirectory(prefix="tintype-bench-") as name:
        folder, kafka, store = Path(name), servers.kafka, servers.store
        shared = sizes.shared_customers, sizes.shared_partitions
        rows, tables, ours = costs(kafka, store, folder, sizes) if sizes.partitions else ([], [], {})
        if sizes.take_over:
            held = sizes.take_over, sizes.shared_partitions
            rows += told.over(taken_over(kafka, store, folder / "taken-over", *held), *held)
        waited: list[Waits] = []
        if sizes.loads:
            waited = waits(kafka, store, folder / "waits", *shared, sizes.loads, sizes.seconds)
            rows += told.beside_a_hot_one(waited)
        stored = _stored(servers, folder / "stored", sizes) if sizes.stored else []
        rows += [one for wait in [*waited, *stored] for one in told.waits(wait, sizes.shared_partitions)]
        worked = None
        if sizes.burst is not None:
            worked = worked_off(kafka, store, folder / "burst", *shared, sizes.burst)
            rows += told.burst(worked)
        if sizes.closing:
            held = sizes.closing, sizes.closing_partitions
            rows += told.closed(closing(kafka, store, folder / "closing", *held), *held)
        without = f"through a database: not run, {servers.lacking}; " if servers.lacking else ""
    return Outcome(rows, [*tables, f"{without}{busy}."], curves.drawings(ours, [*waited, *stored], worked))


def _stored(servers: Servers, folder: Path, sizes: Sizes) -> list[Waits]:
    """Offer rows in a database, where there is one."""
    postgres, connect = servers.postgres, servers.connect
    if postgres is None or connect is None:
        return []
    customers, partitions = sizes.shared_customers, sizes.shared_partitions
    return waits(
        servers.kafka, servers.store, folder, customers, partitions, sizes.stored, sizes.seconds,
        lambda made: shop_tables(made, postgres, connect),
    )  # fmt: skip


@contextmanager
def servers(database: bool = False) -> Iterator[Servers]:
    """Start Kafka and Redis where they do not run, and a database with Debezium where these can run; end
    afterwards those that were started."""
    names, more = ("kafka", "redis"), ("postgres", "connect")
    for one, command in keeper.missing(names).items():
        raise InputError(one, "it cannot run here", command)
    lacking = "; ".join(keeper.missing(more).values()) if database else ""
    wanted = names if lacking or not database else (*names, *more)
    me = Running(os.getpid(), birth(os.getpid()) or "")
    places = keeper.start(wanted, me)
    try:
        yield Servers(
            places["kafka"], places["redis"], places.get("postgres"), places.get("connect"), lacking
        )
    finally:
        if any(one.owner == me for one in state.read().values()):
            keeper.stop(me)
