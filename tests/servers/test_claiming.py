"""Lanes claimed on a real Kafka: who claims one ends what its former owner had begun, and keeps it out."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from kafka import KafkaAdminClient

from deploy.servers.places import Place
from streams.changes.topics import Topics
from streams.worker.claiming import Claims
from streams.worker.log_reader import LogReader


async def _open(kafka: Place, owner: str, log: str, lane: TopicPartition, group: str) -> AIOKafkaProducer:
    """Begin a transaction of an owner's: a record and the lane's next offset, not committed yet."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, transactional_id=owner, acks="all")
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(log, owner.encode(), partition=0)
    await producer.send_offsets_to_transaction({lane: OffsetAndMetadata(7, owner)}, group)
    return producer


async def _claim(kafka: Place, log: str, lane: TopicPartition, group: str, owner: str) -> int:
    for _ in range(100):
        try:
            return (await Claims(kafka.address, group, log).claim([lane], owner))[lane]
        except GroupCoordinatorNotAvailableError:  # of a broker that is young; a worker claims again, too
            await asyncio.sleep(0.2)
    raise AssertionError("the broker has no coordinator for groups")


async def _claimed(kafka: Place, log: str, lane: TopicPartition, group: str) -> tuple[list[int], str]:
    """Let `two` claim a lane while a transaction of `one` is open; return what each claim read, and the name
    that the committed offset carries in the end."""
    one, two = f"{log}.one", f"{log}.two"
    read = [await _claim(kafka, log, lane, group, one)]
    former = await _open(kafka, one, log, lane, group)
    read.append(await _claim(kafka, log, lane, group, two))
    with pytest.raises(KafkaError):
        await former.commit_transaction()
    await former.stop()
    newest = await _open(kafka, two, log, lane, group)
    await newest.commit_transaction()
    await newest.stop()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    found = (await admin.list_consumer_group_offsets(group, partitions=[lane]))[lane]
    await admin.close()
    return [*read, found.offset], found.metadata


def test_who_claims_a_lane_ends_the_transaction_of_its_former_owner(kafka: Place, name: str) -> None:
    """Its offset and its record are as if they had never been; those of the new owner stand."""
    log, lane = f"{name}.changes", TopicPartition(f"{name}.orders", 0)
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    admin.create_topics(
        {topic: {"num_partitions": 1} for topic in (log, lane.topic)}, wait_for_metadata=True
    )
    admin.close()
    read, carried = asyncio.run(_claimed(kafka, log, lane, f"{log}.intake"))
    assert (read, carried) == ([0, 0, 7], f"{log}.two")
    reader = LogReader(kafka.address, Topics(name))
    values = [record.value for record in reader.records(log)]
    reader.close()
    assert values == [f"{log}.two".encode()]
