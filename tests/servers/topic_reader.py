"""What a consumer of committed messages sees of a shop's topics."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from sinks.topics.names import Topics

_LOOKS = 30


@dataclass(frozen=True)
class Seen:
    """One message: its topic's name, the partition there, key, headers by name, and the value's JSON."""

    topic: str
    partition: int
    key: str
    headers: dict[str, str]
    body: dict[str, Any]


async def seen(bootstrap: str, topics: Topics, partitions: int, *names: str) -> list[Seen]:
    """Return what is committed in the topics of effects, or in those named, each partition in its order."""
    asked = names or topics.of_effects.values()
    parts = [TopicPartition(topic, one) for topic in asked for one in range(partitions)]
    await _decided(bootstrap, parts)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    found = []
    try:
        for at in parts:
            consumer.assign([at])
            end = (await consumer.end_offsets([at]))[at]
            consumer.seek(at, 0)
            async with asyncio.timeout(60):
                while await consumer.position(at) < end:
                    for messages in (await consumer.getmany(at, timeout_ms=200)).values():
                        found += [_as_seen(one) for one in messages]
    finally:
        await consumer.stop()
    return found


async def _decided(bootstrap: str, parts: list[TopicPartition]) -> None:
    """Wait until every transaction in these has ended, or a little: that of a killed writer stays open.

    A broker answers a commit before each partition has its mark; until then readers see nothing of it.
    """
    levels = ("read_committed", "read_uncommitted")
    consumers = [AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level=level) for level in levels]
    for one in consumers:
        await one.start()
    try:
        for _ in range(_LOOKS):
            committed, written = [await one.end_offsets(parts) for one in consumers]
            if committed == written:
                return
            await asyncio.sleep(0.1)
    finally:
        for one in consumers:
            await one.stop()


def _as_seen(one: Any) -> Seen:
    headers = {name: value.decode() for name, value in one.headers}
    assert len(headers) == len(one.headers)
    return Seen(one.topic, one.partition, one.key.decode(), headers, json.loads(one.value))


def places(messages: list[Seen]) -> list[tuple[int, int]]:
    """Return the partitions and numbers of the effects, sorted: a gap or a repeat shows."""
    return sorted((one.body["partition"], one.body["seq"]) for one in messages)


def in_order(messages: list[Seen]) -> bool:
    """Whether each customer's effects come in the order of their numbers, in each topic."""
    last: dict[tuple[str, str, int], int] = {}
    for one in messages:
        whose = (one.topic, one.key, one.body["partition"])  # the tests' customers are in all partitions
        if last.get(whose, -1) >= one.body["seq"]:
            return False
        last[whose] = one.body["seq"]
    return True
