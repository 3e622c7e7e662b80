"""The relay to topics: effects of one partition, each in its topic exactly once, in order.

Order of a start and of a step, and why a kill between any two of them loses and doubles nothing:
1. a producer with the partition's transactional id is made: whoever had it before is fenced off, and its open
   transaction is aborted;
2. then the cursor is read, from what is committed: nobody but this relay can move it any more;
3. the effects behind it are read from the outbox, numbered without a gap;
4. in one transaction the effects go to their topics and the cursor to its own;
5. it is committed: readers of what is committed see effects and cursor, or neither.
After any error what became of the step is not known: the relay has to be started again, which asks (2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from sinks.outbox import Effect, EffectSource, check_dense
from sinks.topics.cursor import cursor_key, cursor_value, read_cursor
from sinks.topics.errors import away
from sinks.topics.events import event_of
from sinks.topics.names import Topics
from sinks.topics.packing import BATCH_BYTES, Packing
from sinks.topics.unheard import hear
from streams.errors import InputError

MOST = 2_000  # effects of one transaction
_ANSWER_MS = 15_000
_TRANSACTION_MS = 60_000  # after a kill, readers wait so long at most for what was open


class TopicRelay:
    """One partition's, in an event loop. ``start`` it, then ``step`` again and again; `stop` it at the end.

    ``number``: of the partition in the shop; ``place``: in ``effects``, if that has others.
    """

    def __init__(
        self, bootstrap: str, topics: Topics, number: int, effects: EffectSource, *, place: int | None = None,
        most: int = MOST,
    ) -> None:  # fmt: skip
        self._bootstrap = bootstrap
        self._topics = topics
        self._number = number
        self._effects = effects
        self._place = number if place is None else place
        self._most = most
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._cursor: dict[str, int] = {}

    @property
    def drained(self) -> int:
        """The number of the first effect that is not known to be in its topic; of no use before `start`."""
        return min(self._cursor.values(), default=-1) + 1

    async def start(self) -> None:
        """Fence off whoever wrote this partition's effects before, and ask how far they came.

        Call it only as the partition's owner. Raises Away where Kafka does not answer, InputError where a
        topic lacks the partition.
        """
        await self.stop()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            transactional_id=f"{self._topics.drained}.{self._number}", transaction_timeout_ms=_TRANSACTION_MS,
            request_timeout_ms=_ANSWER_MS, max_batch_size=BATCH_BYTES,
        )  # fmt: skip
        try:
            with away(self._bootstrap):
                await producer.start()
                self._partitions = await self._count(producer)
            kinds = list(self._topics.of_effects)
            self._cursor = await read_cursor(self._bootstrap, self._topics.drained, self._number, kinds)
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def step(self) -> int:
        """Write the next effects in one transaction; return how many.

        Raises Away, after which it is to be started again, Fenced if another relay has been started for the
        partition, and InputError if effects are missing.
        """
        producer = self._producer
        if producer is None:
            raise RuntimeError("the relay is not started")
        effects = await asyncio.to_thread(
            self._effects.read, self._place, min(self._cursor.values()), self._most
        )
        if not effects:
            return 0
        check_dense("topics", self._number, self.drained, effects)
        try:
            with away(self._bootstrap):
                await self._commit(producer, effects)
        except BaseException:
            await self.stop()
            hear(producer)
            raise
        for kind in self._cursor:
            self._cursor[kind] = effects[-1]["seq"]
        return len(effects)

    async def stop(self) -> None:
        """Let go of the brokers; a transaction that is open ends with the next start, or its time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _count(self, producer: AIOKafkaProducer) -> dict[str, int]:
        """Return how many partitions each topic has."""
        topics = self._topics
        names = (topics.tag_changes, topics.decisions, topics.drained)
        found = {name: len(await producer.partitions_for(name)) for name in names}
        count = found[topics.drained]
        if self._number >= count:
            raise InputError(
                f"topic {topics.drained}", f"it has {count} partitions, none of number {self._number}",
                "make it with as many partitions as the shop has",
            )  # fmt: skip
        return found

    async def _commit(self, producer: AIOKafkaProducer, effects: Sequence[Effect]) -> None:
        topics = self._topics.of_effects
        packing = Packing(producer, self._partitions)
        await producer.begin_transaction()
        for effect in effects:
            event = event_of(effect, self._number, self._topics.shop)
            if effect["seq"] > self._cursor[event.kind]:
                await packing.add(topics[event.kind], event.key, event.value, event.headers)
        for kind in topics:
            key, value = cursor_key(self._number, kind), cursor_value(effects[-1]["seq"])
            await packing.add(self._topics.drained, key, value, partition=self._number)
        await packing.deliver()
        await producer.commit_transaction()
