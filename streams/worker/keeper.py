"""Keeps the lanes that a worker has: claims them, and sends each batch in one Kafka transaction.

All lanes of a worker share its transactional producer. After any error, and before each rebalance, the keeper
forgets its lanes and its producer's name; it claims them anew, under a new one (`streams.worker.claiming`),
and begins where the log says.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from streams.changes.keys import name_of as key_name
from streams.changes.topics import Topics
from streams.dead.topic import packed
from streams.message import Message
from streams.shared.claim import bring_up, check_life
from streams.shared.index import Busy, Lost
from streams.shared.lanes import Batch, Lanes, Part
from streams.worker.claiming import Claims, in_transaction, open_producer
from streams.worker.figures import IntakeFigures, LaneFigures
from streams.worker.log_reader import LogReader

_BUSY_SECONDS, _BUSY_TIMES = 0.005, 40
_LOST_SECONDS = 0.5  # who lost a lane may not know yet that it is another's
Found = TypeVar("Found")


@dataclass(frozen=True)
class Fetched:
    """What was fetched of one lane.

    messages: one for each source of the topic, of each record; first, following: offsets of the first record,
    and behind the last.
    """

    messages: Sequence[Message]
    records: int
    first: int
    following: int


class Keeper:
    """One worker's. Its methods are one task's; what computes runs in the executor's one thread."""

    def __init__(
        self, bootstrap: str, topics: Topics, group: str, reader: LogReader, make: Callable[[str], Lanes],
        executor: Executor,
    ) -> None:  # fmt: skip
        """make: the lanes of an owner of this name, none so far."""
        self._bootstrap, self._topics, self._group = bootstrap, topics, group
        self._reader, self._executor = reader, executor
        self._claims = Claims(bootstrap, group, topics.changes)
        self._producer: AIOKafkaProducer | None = None
        self._at_work = asyncio.Lock()  # a rebalance comes while a batch is on its way
        self.lanes = make("")
        self.figures = IntakeFigures()
        self.of_lane: dict[str, LaneFigures] = {}

    async def _compute(self, work: Callable[..., Found], *arguments: Any) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    async def _claim(self, wanted: Sequence[TopicPartition]) -> None:
        """Become the owner of these lanes."""
        index, log = self.lanes.index, self._reader
        # first, for the store may be away: a producer's name is made once, and brokers remember it for days
        found = {at: await self._compute(index.claim, name_of(at)) for at in wanted}
        if self._producer is None:
            owner = f"{self._topics.changes}.{uuid.uuid4().hex}"
            self._producer = open_producer(self._bootstrap, owner)
            await self._producer.start()
            self.lanes.begin_again(owner)
        committed = await self._claims.claim(wanted, self.lanes.owner)
        for at, offset in committed.items():
            name = name_of(at)
            standing = await self._compute(bring_up, index, name, found[at], offset, log.log, log.kept_keys)
            self.lanes.own(name, standing)
            self.of_lane.setdefault(name, LaneFigures()).claims += 1

    async def release(self) -> None:
        """Let go of all lanes behind the batch at hand; what is not sent, the next who claims them takes."""
        async with self._at_work:
            await self._let_go()

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        self.lanes.begin_again("")
        if producer is not None:
            await producer.stop()

    async def take(
        self, assigned: Collection[TopicPartition], fetched: Mapping[TopicPartition, Fetched]
    ) -> dict[TopicPartition, int]:
        """Take messages into the log; return by lane the offset to go on from.

        assigned: all lanes that are this worker's now. Those without messages are claimed too: somebody who
        ended may have marked rows for them, for which others wait. Raises what Kafka or the store raises; the
        lanes are to be claimed anew then.
        """
        async with self._at_work:
            try:
                unclaimed = [at for at in assigned if name_of(at) not in self.lanes.standings]
                if unclaimed:
                    await self._claim(sorted(unclaimed))
                return await self._take(fetched)
            except Lost:
                self.figures.lost += 1
                await self._let_go()
                await asyncio.sleep(_LOST_SECONDS)
                return {at: one.first for at, one in fetched.items()}
            except BaseException:
                await self._let_go()
                raise

    async def _take(self, fetched: Mapping[TopicPartition, Fetched]) -> dict[TopicPartition, int]:
        reached = {at: self.lanes.standings[name_of(at)].next for at in fetched}
        # what the log says may lie before: not every offset is a message
        ready = {at: one for at, one in fetched.items() if reached[at] <= one.first}
        if not ready:
            return reached
        parts = {name_of(at): Part(one.messages, one.following) for at, one in ready.items()}
        batch = await self._batch(parts)
        if batch is None:
            return reached | {at: one.first for at, one in ready.items()}
        with in_transaction():
            offsets = await self._send(batch, ready)
        await self._compute(self.lanes.sent, offsets)
        self._count(ready, batch)
        return reached | {at: one.following for at, one in ready.items()}

    async def _batch(self, parts: Mapping[str, Part]) -> Batch | None:
        """Compute a batch; wait a little while others are about to change what it needs."""
        await self._compute(check_life, self.lanes.index, [self.lanes.standings[name] for name in parts])
        for _ in range(_BUSY_TIMES):
            try:
                return await self._compute(self.lanes.take, parts, int(time.time() * 1000))
            except Busy:
                self.figures.busy_waits += 1
                await asyncio.sleep(_BUSY_SECONDS)
        return None

    async def _send(self, batch: Batch, lanes: Mapping[TopicPartition, Fetched]) -> list[int]:
        """Send a batch and the lanes' next offsets in one transaction; return the blocks' offsets."""
        producer = self._producer
        assert producer is not None  # `_claim` made it
        await producer.begin_transaction()
        sent = []
        for one in batch.blocks:
            sent.append(await producer.send(
                self._topics.changes, one.value, partition=one.partition, headers=one.headers
            ))  # fmt: skip
        for customer, number, wrapped in batch.keys:
            await producer.send(self._topics.keys, wrapped, key=key_name(customer, number))
        for letter in batch.dead:
            key, value, headers = packed(letter)
            await producer.send(self._topics.dead, value, key=key, headers=headers)
        owner = self.lanes.owner
        following = {at: OffsetAndMetadata(one.following, owner) for at, one in lanes.items()}
        await producer.send_offsets_to_transaction(following, self._group)
        offsets = [(await one).offset for one in sent]
        await self._compute(check_life, self.lanes.index, [self.lanes.standings[one] for one in batch.next])
        await producer.commit_transaction()
        return offsets

    def _count(self, taken: Mapping[TopicPartition, Fetched], batch: Batch) -> None:
        self.figures.batches += 1
        for at, one in taken.items():
            self.of_lane[name_of(at)].messages += one.records
        for letter in batch.dead:
            self.of_lane[letter.place.rpartition("/")[0]].rejected += 1


def name_of(at: TopicPartition) -> str:
    """Return the name of a lane."""
    return f"{at.topic}/{at.partition}"
