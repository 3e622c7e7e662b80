"""Erases a customer of a cluster, from outside of its workers: all lanes stand still for it.

Who erases claims every lane, as a worker does that takes them over (`streams.worker.claiming`): so nobody
commits anything between the last look at the index and the erasure, and one who was paused and is overtaken
commits nothing. That claims wait meanwhile only keeps workers from taking the lanes back at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.changes.keys import name_of as key_name
from streams.changes.topics import Topics
from streams.dead.topic import TopicLetters
from streams.debezium import kafka
from streams.personal.traces import Traces, telling_headings
from streams.shared.claim import bring_up
from streams.shared.erasing import Erasing, Erasure
from streams.shared.index import Index, Lost
from streams.shared.lanes import Lanes
from streams.worker.claiming import Claims, erasers_lane, in_transaction, open_producer
from streams.worker.keeper import name_of
from streams.worker.log_reader import LogReader

STILL_MS = 20_000  # lanes stand still no longer for one who ended, or from one step to the next


@dataclass(frozen=True)
class Sent:
    """What was erased. letters: dead letters that told of the customer; partition, step: at which nothing of
    them is left."""

    erasure: Erasure
    letters: int
    partition: int
    step: int


class Eraser:
    """Erases one customer, once. Its methods are one task's."""

    def __init__(
        self, bootstrap: str, topics: Topics, group: str, reader: LogReader,
        make: Callable[[str], tuple[Lanes, Erasing]],
    ) -> None:  # fmt: skip
        """group: that reads the sources' topics; make: lanes of an owner of this name, none so far, whose
        index has it as its holder, and what erases at their desk."""
        self._bootstrap, self._topics, self._reader = bootstrap, topics, reader
        self._owner = f"{topics.changes}.eraser.{uuid.uuid4().hex}"
        self._lanes, self._erasing = make(self._owner)
        self._index: Index = self._lanes.index
        self._claims = Claims(bootstrap, group, topics.changes)

    async def erase(self, sources: Collection[str]) -> Sent | None:
        """Erase; None where nothing is held of the customer. sources: topics of sources.

        Raises Still where another customer is being erased, Lost where workers took lanes back first (nothing
        is erased then), and what Kafka and the store raise.
        """
        await asyncio.to_thread(self._erasing.look)
        self._index.stand_still(STILL_MS)
        producer = open_producer(self._bootstrap, self._owner)
        try:
            await producer.start()
            await self._claim(sources)
            self._index.stand_still(STILL_MS)
            made = await asyncio.to_thread(self._erasing.take, int(time.time() * 1000))
            if made is None:
                return None
            letters = await asyncio.to_thread(self._letters, made)
            with in_transaction():
                offsets = await self._send(producer, made, letters)
            with contextlib.suppress(Lost):  # then somebody has it from the log
                await asyncio.to_thread(self._erasing.sent, offsets)
            step = await asyncio.to_thread(self._erasing.erased_before, offsets)
            return Sent(made, len(letters), self._erasing.partition, step)
        finally:
            self._index.go_on()
            await producer.stop()

    async def _claim(self, sources: Collection[str]) -> None:
        """Become the owner of every lane that there is; of that of erasers first (`Claims`)."""
        await self._claims.claim([erasers_lane(self._topics.changes)], self._owner)
        wanted = await asyncio.to_thread(self._existing, await self._claims.lanes(), sources)
        found = {at: self._index.claim(name_of(at)) for at in wanted}
        committed = await self._claims.claim(wanted, self._owner)
        log = self._reader
        for at, offset in committed.items():
            name = name_of(at)
            standing = await asyncio.to_thread(
                bring_up, self._index, name, found[at], offset, log.log, log.kept_keys
            )
            self._lanes.own(name, standing)

    def _existing(
        self, claimed: Collection[TopicPartition], sources: Collection[str]
    ) -> list[TopicPartition]:  # fmt: skip
        """Return the lanes of topics that exist: those of sources, and whatever anybody has claimed."""
        topics = {*sources, *(at.topic for at in claimed)}
        with kafka.consumer(self._bootstrap) as consumer:
            there = kafka.partitions_of(consumer, sorted(topics & consumer.topics()))
        return sorted(TopicPartition(at.topic, at.partition) for at in there)

    def _letters(self, made: Erasure) -> dict[int, bytes]:
        """Return the dead letters that tell of the customer, by number, with the keys of their records."""
        names = [reference.partition(":")[2] for reference in made.references]
        traces = Traces([*names, *made.values], telling_headings(self._lanes.sources))
        there = TopicLetters(self._bootstrap, self._topics)
        return {
            one.id: there.names[one.id]
            for one in there.letters(state=None)
            if any(map(traces.in_message, (one.key, one.value, one.fixed)))
            or any(map(traces.in_text, (one.problem, one.hint)))
        }

    async def _send(
        self, producer: AIOKafkaProducer, made: Erasure, letters: dict[int, bytes]
    ) -> list[int]:  # fmt: skip
        """Send all of it in one transaction; return the blocks' offsets."""
        topics = self._topics
        await producer.begin_transaction()
        sent = [
            await producer.send(topics.changes, one.value, partition=one.partition, headers=one.headers)
            for one in made.blocks
        ]
        for customer, number, wrapped in made.keys:
            sent.append(await producer.send(topics.keys, wrapped, key=key_name(customer, number)))
        for number, name in letters.items():
            sent.append(await producer.send(topics.dead, None, key=name))
            sent.append(await producer.send(topics.dead_states, None, key=str(number).encode()))
        written = await asyncio.gather(*sent)
        await producer.commit_transaction()
        return [one.offset for one in written[: len(made.blocks)]]
