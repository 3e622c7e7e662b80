"""Reading a whole topic from where one stands, outside of any group."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping

from aiokafka import AIOKafkaConsumer


@contextlib.asynccontextmanager
async def reading(bootstrap: str, topic: str, begin: Mapping[int, int]) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer of what is committed in all partitions of a topic, from these offsets on; what is gone
    there is passed over."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed",
    )  # fmt: skip
    await consumer.start()
    try:
        for at in consumer.assignment():
            consumer.seek(at, begin.get(at.partition, 0))
        yield consumer
    finally:
        await consumer.stop()
