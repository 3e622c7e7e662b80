"""Keeps one lane: claims it, and sends each batch in a Kafka transaction of the lane's own producer.

The producer's transactional id is the lane's: who claims the lane anew fences the former owner off, and its
open transaction ends at once (design, section 6). After any error the keeper forgets the lane; the next batch
claims it anew, and begins where the log says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.changes.topics import LARGEST_MESSAGE, Topics
from streams.message import Message
from streams.shared.claim import check_life, claim
from streams.shared.index import Busy, Index, Lost
from streams.shared.lane import Batch, Lane
from streams.worker.figures import LaneFigures
from streams.worker.log_reader import LogReader

TRANSACTION_MS = 10_000  # a paused owner's open transaction holds readers back no longer
_BUSY_SECONDS, _BUSY_TIMES = 0.005, 40
Found = TypeVar("Found")


class Keeper:
    """One lane's. Its methods are one task's; what computes runs in the executor's one thread."""

    def __init__(
        self, at: TopicPartition, bootstrap: str, topics: Topics, group: str, index: Index, reader: LogReader,
        make: Callable[[str], Lane], executor: Executor, committed: Callable[[TopicPartition], Any],
    ) -> None:  # fmt: skip
        """at: the lane's topic and partition; committed: awaited for the group's offset there."""
        self.at = at
        self.name = f"{at.topic}/{at.partition}"
        self._bootstrap, self._topics, self._group = bootstrap, topics, group
        self._index, self._reader, self._make, self._executor = index, reader, make, executor
        self._committed = committed
        self._producer: AIOKafkaProducer | None = None
        self._at_work = asyncio.Lock()  # a rebalance comes while a batch is on its way
        self.lane: Lane | None = None
        self.figures = LaneFigures()

    async def _compute(self, work: Callable[..., Found], *arguments: Any) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    async def _claim(self) -> Lane:
        """Become the lane's owner, if this is not it; return the lane."""
        if self.lane is not None:
            return self.lane
        await self._let_go()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, transactional_id=f"{self._topics.changes}.{self.name}",
            transaction_timeout_ms=TRANSACTION_MS, max_request_size=LARGEST_MESSAGE, acks="all",
            request_timeout_ms=15_000,
        )  # fmt: skip
        await producer.start()
        self._producer = producer
        committed = await self._committed(self.at) or 0
        lane = self._make(self.name)
        standing = await self._compute(
            claim, self._index, self.name, committed, self._reader.log, self._reader.keys
        )
        lane.own(standing)
        self.figures.claims += 1
        self.lane = lane
        return lane

    async def release(self) -> None:
        """Let go of the lane behind the batch at hand; what is not sent is taken again by its next owner."""
        async with self._at_work:
            await self._let_go()

    async def _let_go(self) -> None:
        producer, self._producer, self.lane = self._producer, None, None
        if producer is not None:
            await producer.stop()

    async def take(self, messages: Sequence[Message], first: int, following: int) -> int:
        """Take messages into the log; return the offset to go on from.

        first, following: offsets of the first message, and behind the last. Raises what Kafka or the store
        raises; the lane is to be claimed anew then.
        """
        async with self._at_work:
            return await self._take(messages, first, following)

    async def _take(self, messages: Sequence[Message], first: int, following: int) -> int:
        try:
            lane = await self._claim()
            if lane.standing.next > first:  # it may lie before: not every offset is a message
                return lane.standing.next
            batch = await self._batch(lane, messages, following)
            if batch is None:
                return first
            offsets = await self._send(batch)
            self.figures.batches += 1
            self.figures.rejected += len(batch.dead)
            await self._compute(lane.sent, offsets)
        except Lost:
            self.figures.lost += 1
            await self._let_go()
            return first
        except BaseException:
            await self._let_go()
            raise
        return following

    async def _batch(self, lane: Lane, messages: Sequence[Message], following: int) -> Batch | None:
        """Compute a batch; wait a little while others are about to change what it needs.

        None where they take long: they may be lanes of this worker that have to be claimed anew first.
        """
        await self._compute(check_life, self._index, lane.standing)
        for _ in range(_BUSY_TIMES):
            try:
                return await self._compute(lane.take, messages, following, int(time.time() * 1000))
            except Busy:
                self.figures.busy_waits += 1
                await asyncio.sleep(_BUSY_SECONDS)
        return None

    async def _send(self, batch: Batch) -> list[int]:
        """Send a batch and the lane's next offset in one transaction; return the blocks' offsets."""
        producer, lane = self._producer, self.lane
        assert producer is not None  # `_claim` made both
        assert lane is not None
        await producer.begin_transaction()
        sent = []
        for one in batch.blocks:
            sent.append(await producer.send(
                self._topics.changes, one.value, partition=one.partition, headers=one.headers
            ))  # fmt: skip
        for customer, number, wrapped in batch.keys:
            await producer.send(self._topics.keys, wrapped, key=customer + number.to_bytes(2, "big"))
        for letter in batch.dead:
            await producer.send(self._topics.dead, letter.value, key=letter.key, headers=letter.headers())
        await producer.send_offsets_to_transaction({self.at: batch.next}, self._group)
        offsets = [(await one).offset for one in sent]
        await self._compute(check_life, self._index, lane.standing)
        await producer.commit_transaction()
        return offsets
