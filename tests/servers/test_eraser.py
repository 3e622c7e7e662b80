"""One who erases and whoever claims a lane that is new to both: one of the two sees the other."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, IllegalOperation, KafkaError

from app.cluster.erase import erase
from app.worker.place import ClusterPlace
from deploy.servers.places import Place
from streams.changes.topics import Topics
from streams.debezium import kafka as kafka_tools
from streams.errors import InputError
from streams.worker.claiming import Claims, erasers_lane, in_transaction, open_producer
from tests.called import SECRET
from tests.shared.small_shop import small_shop

SECONDS = 30.0


async def coordinated(claims: Claims) -> None:
    """Return once the broker, which may be young, knows of groups."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            await claims.lanes()
            return
        except GroupCoordinatorNotAvailableError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)


def test_a_producer_that_has_heard_of_a_newer_one_raises_what_workers_wait_for() -> None:
    """Its client says that it is in no transaction: that is no error of Kafka's, and would end the worker."""
    with pytest.raises(KafkaError), in_transaction():
        raise IllegalOperation("Can't send messages while not in transaction")


def test_who_claims_a_new_lane_ends_what_somebody_erases(kafka: Place, name: str) -> None:
    """The lane's topic was not there yet when the other claimed all lanes."""
    log, group, lane = f"{name}.changes", f"{name}.intake", TopicPartition(f"{name}.orders", 0)
    for topic in (log, lane.topic):
        kafka_tools.make_topic(kafka.address, topic, 1)

    async def scene() -> set[TopicPartition]:
        worker, erasing = Claims(kafka.address, group, log), open_producer(kafka.address, f"{name}.eraser")
        await coordinated(worker)
        await erasing.start()
        try:
            await Claims(kafka.address, group, log).claim([erasers_lane(log)], f"{name}.eraser")
            async with erasing.transaction():  # it is its own: nothing has fenced it off so far
                await erasing.send_and_wait(log, b"in time", partition=0)
            await erasing.begin_transaction()
            await erasing.send_and_wait(log, b"too late", partition=0)
            assert await worker.claim([lane], f"{name}.worker") == {lane: 0}
            with pytest.raises(KafkaError):
                await erasing.commit_transaction()
        finally:
            await erasing.stop()
        return await worker.lanes()

    assert asyncio.run(scene()) == {lane}


def test_letters_that_cannot_leave_their_topic_are_told_of_before_anything_is_done(
    kafka: Place, name: str, tmp_path: Path
) -> None:
    """A topic that is not compacted keeps them, whatever else is said of compaction."""
    topics, settings = Topics(name), {"cleanup.policy": "delete", "min.compaction.lag.ms": "1"}
    with kafka_tools.admin(kafka.address) as admin:
        new = {topics.dead: {"num_partitions": 1, "configs": settings}}
        admin.create_topics(new, wait_for_metadata=True)
    nowhere = "redis://localhost:1/0"
    place = ClusterPlace(tmp_path, kafka.address, nowhere, tmp_path, SECRET, topics, {})
    with pytest.raises(InputError, match="it is not compacted"):
        erase(place, small_shop(name), bytes(16))
