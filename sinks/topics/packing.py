"""The messages of one transaction, packed: one by one a client takes 60 microseconds for each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from sinks.events.envelope import Header

BATCH_BYTES = 256 << 10  # a broker takes a megabyte

Future = asyncio.Future[Any]


class Packing:
    """One transaction's. ``partitions``: how many each topic has. A key's messages stay in their order."""

    def __init__(self, producer: AIOKafkaProducer, partitions: Mapping[str, int]) -> None:
        self._producer = producer
        self._partitions = partitions
        self._open: dict[tuple[str, int], Any] = {}
        self._sent: list[Future] = []

    async def add(
        self, topic: str, key: bytes, value: bytes, headers: Sequence[Header] = (),
        partition: int | None = None,
    ) -> None:  # fmt: skip
        """Put a message behind the others of its partition: that of its key, if none is named."""
        at = topic, partition_of(key, self._partitions[topic]) if partition is None else partition
        batch = self._open.get(at)
        if batch is None or batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
            if batch is not None:
                await self._send(at)
            batch = self._open[at] = self._producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=list(headers))

    async def deliver(self) -> None:
        """Return when the brokers have everything. Raises the first error."""
        for at in list(self._open):
            await self._send(at)
        await asyncio.gather(*self._sent)

    async def _send(self, at: tuple[str, int]) -> None:
        topic, partition = at
        batch = self._open.pop(at)
        batch.close()
        future = await self._producer.send_batch(batch, topic, partition=partition)
        future.add_done_callback(_heard)
        self._sent.append(future)


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, partitions: int) -> int:
    """Return a key's partition, as Kafka's own clients choose it.

    >>> partition_of(b"0" * 32, 4)
    1
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def _heard(future: Future) -> None:
    """One error is told; asyncio would complain of those that nobody asks for."""
    if not future.cancelled():
        future.exception()
