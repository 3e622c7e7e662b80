"""From a row that is due, in its source's topic or in the shop's database, to its customer's profile in the
store, and to the decision that it makes in its topic, under a given load."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.cluster.cluster import SECRET, Cluster, cluster
from bench.cluster.heard import Heard
from bench.cluster.rows import Row, Rows
from bench.cluster.ways import Topics, Way
from bench.messages import members
from bench.schedule import Floats, percentile
from bench.watch import Looking, Watch
from bench.workload import Ints
from deploy.servers.places import Place
from sinks.topics.names import topics_of
from streams.identity.partition import id_pairs, partitions_of
from streams.identity.references import new_id

METRIC = "orders_365d"
TRIGGER = "first"  # decides on the first order of a customer
TRIGGERS = {
    TRIGGER: {
        "when": {"event": {"source": "orders"}}, "if": f"{METRIC} == 1",
        "action": {"channel": "console", "template": "line"},
    }
}  # fmt: skip
PROBE_SECONDS = 0.01  # between rows that are looked for
BEFORE_SECONDS = 0.5  # until the first row is due


@dataclass(frozen=True)
class Load:
    """rate: rows a second; hot: the share of them that are orders of one customer, who is not looked for."""

    rate: int
    hot: float = 0.0


@dataclass(frozen=True)
class Waits:
    """where: rows were when they were due; load: what was offered; readable, decided: of each row looked for
    the milliseconds from due to readable, and to its decision committed in the topic, float64; late: by how
    many milliseconds the sender was behind at most, which is in them."""

    where: str
    load: Load
    readable: Floats
    decided: Floats
    late: float


def share_of(milliseconds: Floats, share: float) -> float:
    """Return a percentile (nearest rank)."""
    return percentile(milliseconds, np.ones(len(milliseconds)), share)


def through_topics(made: Cluster) -> AbstractContextManager[Way]:
    """Rows are messages from the beginning."""
    return nullcontext(Topics(made))


def waits(
    kafka: Place, store: Place, folder: Path, customers: int, partitions: int,
    loads: tuple[Load, ...], seconds: float,
    through: Callable[[Cluster], AbstractContextManager[Way]] = through_topics,
) -> list[Waits]:  # fmt: skip
    """Offer rows to one worker under each of these loads, each at its time whatever became of those before.

    The rows looked for, a hundred a second at every rate, are orders of customers without a past; the others
    are the feed's. Raises TimeoutError where one is not in the store after half a minute.
    """
    probes = round(seconds / PROBE_SECONDS)
    with cluster(kafka, store, folder, partitions, TRIGGERS) as made, through(made) as way:
        drawn = Rows(customers, apart=probes * len(loads))
        made.start("worker")
        way.fill(list(drawn.past(customers + round(sum(load.rate for load in loads) * seconds))))
        made.settle()
        found = []
        for number, load in enumerate(loads):
            who = customers + number * probes + np.arange(probes)
            found.append(_offer(made, way, drawn, who, load))
            made.settle()
    return found


def _offer(made: Cluster, way: Way, drawn: Rows, who: Ints, load: Load) -> Waits:
    between = max(0, round(load.rate * PROBE_SECONDS) - 1)  # of others' rows behind each that is looked for
    others = iter(_others(drawn, between * len(who), round(load.hot * (between + 1) * len(who))))
    parts: list[list[Row]] = []
    for probe in drawn.orders(who):
        parts += way.parts([probe, *(next(others) for _ in range(between))])
    due = np.arange(len(parts)) * PROBE_SECONDS * len(who) / len(parts)
    probes_due = due[:: len(parts) // len(who)]
    names = members(int(who[-1]) + 1)
    ids = [_id_of(names[one]) for one in who.tolist()]
    store, keys, nowhere = made.store, _keys(made, ids), made.folder / "snapshots"
    watch = Watch(Looking(store.port, store.password, keys, probes_due.tolist(), METRIC, 1, nowhere))
    heard = Heard(made.kafka.address, topics_of(made.name).decisions, TRIGGER)
    late = 0.0
    with way.writing() as write:
        began = time.monotonic() + BEFORE_SECONDS
        watch.begin(began)
        for part, moment in zip(parts, due.tolist(), strict=True):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            write(part)
            late = max(late, time.monotonic() - began - moment)
    seen, told = watch.result().readable, heard.result([one.hex() for one in ids])
    for moments, where in ((seen, "store"), (told, "topic of decisions")):
        if np.isinf(moments).any():
            missing = int(np.isinf(moments).sum())
            raise TimeoutError(f"{missing} of {len(who)} orders were not in the {where} in time")
    readable, decided = ((moments - began - probes_due) * 1e3 for moments in (seen, told))
    return Waits(way.name, load, readable, decided, late * 1e3)


def _others(drawn: Rows, count: int, hot: int) -> list[Row]:
    """Return so many rows, of which some, spread evenly, are orders of one customer."""
    rows = list(drawn.changes(count - hot))
    for at, row in enumerate(drawn.orders(np.zeros(hot, dtype=np.int64)) if hot else ()):
        rows.insert(at * count // hot, row)
    return rows


def _id_of(name: str) -> bytes:
    """Return the id of a member (semantics W1, P7)."""
    hidden = hashlib.blake2b(f"member:{name}".encode(), digest_size=16, key=SECRET, person=b"reference")
    return new_id(f"member:{hidden.hexdigest()}")


def _keys(made: Cluster, ids: list[bytes]) -> list[str]:
    """Return the keys of customers' documents in the store (semantics P1)."""
    places = partitions_of(*id_pairs(ids), made.partitions)
    return [
        f"tintype:{{{made.name}/{place}}}:profile:{one.hex()}"
        for place, one in zip(places.tolist(), ids, strict=True)
    ]
