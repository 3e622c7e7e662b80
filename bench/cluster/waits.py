"""From a row that is due in its source's topic to its customer's profile in the store, at a given rate."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kafka import KafkaProducer

from bench.cluster.cluster import SECRET, Cluster, cluster
from bench.cluster.rows import Row, Rows
from bench.messages import members
from bench.schedule import Floats, percentile
from bench.watch import Looking, Watch
from bench.workload import Ints
from deploy.servers.places import Place
from streams.identity.partition import id_pairs, partitions_of
from streams.identity.references import new_id

METRIC = "orders_365d"
PROBE_SECONDS = 0.01  # between rows that are looked for
BEFORE_SECONDS = 0.5  # until the first row is due


@dataclass(frozen=True)
class Waits:
    """rate: rows a second; milliseconds: of each row looked for, from due to readable, float64; late: by how
    many milliseconds the sender was behind at most, which is in them."""

    rate: int
    milliseconds: Floats
    late: float

    def of(self, share: float) -> float:
        """Return a percentile (nearest rank)."""
        return percentile(self.milliseconds, np.ones(len(self.milliseconds)), share)


def waits(
    kafka: Place, store: Place, folder: Path, customers: int, partitions: int, rates: tuple[int, ...],
    seconds: float,
) -> list[Waits]:  # fmt: skip
    """Offer rows to one worker at each of these rates, each at its time whatever became of those before.

    The rows looked for, a hundred a second at every rate, are orders of customers without a past; the others
    are the feed's. Raises TimeoutError where one is not in the store after half a minute.
    """
    probes = round(seconds / PROBE_SECONDS)
    with cluster(kafka, store, folder, partitions) as made:
        drawn = Rows(customers, apart=probes * len(rates))
        made.start("worker")
        with made.feed(drawn.past(customers + round(sum(rates) * seconds))):
            pass
        made.settle()
        found = []
        for number, rate in enumerate(rates):
            who = customers + number * probes + np.arange(probes)
            found.append(_offer(made, drawn, who, rate))
            made.settle()
    return found


def _offer(made: Cluster, drawn: Rows, who: Ints, rate: int) -> Waits:
    between = max(0, round(rate * PROBE_SECONDS) - 1)  # of the feed's rows behind each that is looked for
    others = iter(list(drawn.changes(between * len(who))))
    rows: list[Row] = []
    for probe in drawn.orders(who):
        rows += [probe, *(next(others) for _ in range(between))]
    due = np.arange(len(rows)) * PROBE_SECONDS / (between + 1)
    names = members(int(who[-1]) + 1)
    keys = _keys(made, [names[one] for one in who.tolist()])
    probes_due = due[:: between + 1]
    store = made.store
    watch = Watch(
        Looking(store.port, store.password, keys, probes_due.tolist(), METRIC, 1, made.folder / "snapshots")
    )
    producer = KafkaProducer(bootstrap_servers=made.kafka.address)
    producer.partitions_for(made.topic("orders"))  # it is connected
    began = time.monotonic() + BEFORE_SECONDS
    watch.begin(began)
    sent, late = [], 0.0
    for row, moment in zip(rows, due.tolist(), strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        sent.append(made.send(producer, row))
        late = max(late, time.monotonic() - began - moment)
    producer.flush()
    made.note_sent(sent)
    producer.close()
    seen = watch.result().readable
    if np.isinf(seen).any():
        raise TimeoutError(f"{int(np.isinf(seen).sum())} of {len(who)} orders were not in the store in time")
    return Waits(rate, (seen - began - probes_due) * 1e3, late * 1e3)


def _keys(made: Cluster, names: list[str]) -> list[str]:
    """Return the keys of customers' documents in the store (semantics W1, P1, P7)."""
    ids = []
    for name in names:
        hidden = hashlib.blake2b(f"member:{name}".encode(), digest_size=16, key=SECRET, person=b"reference")
        ids.append(new_id(f"member:{hidden.hexdigest()}"))
    places = partitions_of(*id_pairs(ids), made.partitions)
    return [
        f"tintype:{{{made.name}/{place}}}:profile:{one.hex()}"
        for place, one in zip(places.tolist(), ids, strict=True)
    ]
