"""How far a partition is in each topic of effects, read from the compacted topic that says it."""

from __future__ import annotations

import asyncio

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from sinks.topics.errors import away

_WINDOW = 200  # messages looked at first, from the end; ten times as many if it is not among them
_SECONDS = 30.0
_POLL_MS = 200


def cursor_key(number: int, kind: str) -> bytes:
    """Return the key under which a partition's place in a topic of effects stands.

    >>> cursor_key(3, "decisions")
    b'3/decisions'
    """
    return f"{number}/{kind}".encode()


def cursor_value(seq: int) -> bytes:
    """Return the value: the last effect that is there.

    >>> cursor_value(41)
    b'{"seq":41}'
    """
    return msgspec.json.encode({"seq": seq})


async def read_cursor(bootstrap: str, topic: str, number: int, kinds: list[str]) -> dict[str, int]:
    """Return for each kind the last effect of the partition that is committed in its topic, -1 before any.

    Call it when the transactions of all former owners have ended: they are fenced off. The places of a
    partition stand in the topic's partition of the same number. Raises Away where that cannot be read.
    """
    at = TopicPartition(topic, number)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    with away(bootstrap):
        try:
            await consumer.start()
            async with asyncio.timeout(_SECONDS):
                return await _newest(consumer, at, {cursor_key(number, kind): kind for kind in kinds})
        finally:
            await consumer.stop()


async def _newest(consumer: AIOKafkaConsumer, at: TopicPartition, keys: dict[bytes, str]) -> dict[str, int]:
    consumer.assign([at])
    begin = (await consumer.beginning_offsets([at]))[at]
    end = (await consumer.end_offsets([at]))[at]
    window = _WINDOW
    while True:
        start = max(begin, end - window)
        found = await _read(consumer, at, start, end, keys)
        if len(found) == len(keys) or start == begin:
            return {kind: found.get(kind, -1) for kind in keys.values()}
        window *= 10


async def _read(
    consumer: AIOKafkaConsumer, at: TopicPartition, start: int, end: int, keys: dict[bytes, str]
) -> dict[str, int]:
    """Return the newest places from ``start`` up to ``end``, by kind."""
    found: dict[str, int] = {}
    consumer.seek(at, start)
    while await consumer.position(at) < end:  # not all of it are messages: transactions end there, too
        for messages in (await consumer.getmany(at, timeout_ms=_POLL_MS)).values():
            for one in messages:
                if one.key in keys and one.value is not None:
                    found[keys[one.key]] = int(msgspec.json.decode(one.value)["seq"])
    return found
