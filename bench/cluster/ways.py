"""How rows are offered: as messages in their sources' topics, or as rows in tables that Debezium reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from kafka import TopicPartition

from bench.cluster.cluster import Cluster
from bench.cluster.rows import Row

BATCH_BYTES = 1 << 20  # of one part's rows in one partition


class Way(Protocol):
    """From a row to its topic. name: as tables say where a row is when it is due."""

    name: str

    def fill(self, rows: Sequence[Row]) -> None:
        """Write rows of the past; all are in their topics on return."""

    def parts(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Return how the rows that are due at one time are spread over the time until the next are."""

    def writing(self) -> AbstractContextManager[Callable[[list[Row]], None]]:
        """Give what writes one part; when the block ends, all are in their topics."""


class Topics:
    """Messages, packed as they are due: one by one, a client is slower than the worker. A `Way`."""

    name = "in its topic"

    def __init__(self, made: Cluster) -> None:
        self._made = made

    def fill(self, rows: Sequence[Row]) -> None:
        with self._made.feed(rows):
            pass

    def parts(self, rows: Sequence[Row]) -> list[list[Row]]:
        return [list(rows)]

    @contextmanager
    def writing(self) -> Iterator[Callable[[list[Row]], None]]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()

        def done(work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result(60)

        sending = done(_Sending.begun(self._made))
        try:
            yield lambda rows: done(sending.write(rows))
            self._made.note_ends(done(sending.ends()))
        finally:
            done(sending.producer.stop())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


@dataclass
class _Sending:
    """Used in one event loop."""

    made: Cluster
    producer: AIOKafkaProducer
    sent: list[tuple[asyncio.Future[Any], int]] = field(default_factory=list)  # and how many rows

    @staticmethod
    async def begun(made: Cluster) -> _Sending:
        producer = AIOKafkaProducer(bootstrap_servers=made.kafka.address, max_batch_size=BATCH_BYTES)
        await producer.start()
        return _Sending(made, producer)

    async def write(self, rows: list[Row]) -> None:
        """Hand rows over, one batch for each partition of a topic."""
        batches: dict[TopicPartition, Any] = {}
        for row in rows:
            at = self.made.place_of(row)
            batch = batches.setdefault(at, self.producer.create_batch())
            assert batch.append(key=row.key, value=row.value, timestamp=None) is not None
        for at, batch in batches.items():
            batch.close()
            future = await self.producer.send_batch(batch, at.topic, partition=at.partition)
            self.sent.append((future, batch.record_count()))

    async def ends(self) -> dict[TopicPartition, int]:
        """Return behind which offsets what was sent ends, once it is there."""
        found: dict[TopicPartition, int] = {}
        for future, count in self.sent:
            one = await future
            at = TopicPartition(one.topic, one.partition)
            found[at] = max(found.get(at, 0), one.offset + count)
        return found
