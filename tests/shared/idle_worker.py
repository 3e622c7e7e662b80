"""A worker of a cluster that is nowhere: its parts are real, and connect to nothing until asked to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from app.worker.partition import OwnedPartition
from app.worker.place import ClusterPlace
from app.worker.worker import Worker
from streams.changes.topics import Topics
from streams.worker.figures import LaneFigures
from streams.worker.keeper import name_of
from tests.called import SECRET
from tests.shared.small_shop import small_shop

NOWHERE = "localhost:1"
LANE = TopicPartition("db.orders", 0)


@contextmanager
def idle_worker(folder: Path, number: int = 3, client: redis.Redis | None = None) -> Iterator[Worker]:
    """Give a worker that owns a partition of the log and has met a lane; client: the partition's store."""
    shop = small_shop("idle", partitions=4)
    place = ClusterPlace(
        folder, NOWHERE, f"redis://{NOWHERE}/0", folder / "data", SECRET, Topics("idle"),
        {LANE.topic: ["orders"]},
    )  # fmt: skip
    worker = Worker(place, shop, lambda _: "{}")
    worker.ending = True  # whoever waits for the store gives up
    owned = OwnedPartition(
        number, shop, place.data, SECRET, client or place.client(), lambda: worker.ending, lambda _: None,
        lambda *_: None,
    )  # fmt: skip
    worker.owning.partitions[number] = owned
    worker.keeper.of_lane[name_of(LANE)] = LaneFigures()
    try:
        yield worker
    finally:
        owned.close()
        worker.close()


def samples(registry: CollectorRegistry) -> dict[str, float]:
    """Return every sample by its name and labels."""
    found = {}
    for family in registry.collect():
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in one.labels.items())
            found[f"{one.name}{{{labels}}}" if labels else one.name] = one.value
    return found
