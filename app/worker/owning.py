"""Stage 2: owns partitions of the log, follows them and keeps the store.

One thread computes for all partitions of a worker. A fetch is read only when the last one is committed, so
that memory stays bounded however slow the store is. A partition that stays at a rebalance keeps its state;
what goes is let go only then, and a zombie is refused by the store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from app.worker.partition import Ending, NotOwner, OwnedPartition
from app.worker.relays import PartitionRelays
from streams.changes.controls import control_message
from streams.changes.topics import LARGEST_MESSAGE
from streams.changes.wire import incoming
from streams.control import TICK, Control
from streams.worker.intake import HEARTBEAT_MS, SESSION_MS

MOST = 500  # blocks of one fetch
_AGAIN_SECONDS = 2.0
log = logging.getLogger(__name__)


class Owning(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs until it is cancelled."""

    def __init__(
        self, bootstrap: str, topic: str, group: str, make: Callable[[int], OwnedPartition],
        make_relays: Callable[[int], PartitionRelays], executor: Executor,
    ) -> None:  # fmt: skip
        self._bootstrap, self._topic, self._group = bootstrap, topic, group
        self._make, self._make_relays, self._executor = make, make_relays, executor
        self._relaying: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}  # when a partition that was let go may be begun again
        self._consumer: Any = None
        self._producer: AIOKafkaProducer | None = None
        self.partitions: dict[int, OwnedPartition] = {}
        self._ticked: dict[int, int] = {}
        self.fenced = 0  # partitions let go because another worker had them

    async def _compute(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    async def run(self) -> None:
        """Follow the partitions that this worker has."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed", session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS, max_poll_interval_ms=600_000,
            max_partition_fetch_bytes=LARGEST_MESSAGE,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )  # fmt: skip
        self._consumer.subscribe([self._topic], listener=self)
        await self._producer.start()
        await self._consumer.start()
        try:
            while True:
                await self._step()
        finally:
            await self._consumer.stop()
            await self._producer.stop()
            for number in list(self.partitions):
                await self._drop(number)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let go of nothing yet: what stays keeps its state."""

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Let go of what others have now; what is new begins with the next step."""
        mine = {at.partition for at in assigned}
        for number in [one for one in self.partitions if one not in mine]:
            await self._drop(number)
        for number in sorted(mine & self.partitions.keys()):
            self._consumer.seek(TopicPartition(self._topic, number), self.partitions[number].next_offset)

    async def _begin(self, number: int) -> OwnedPartition:
        """Begin to own a partition: its relays first, since they say which effects are still needed."""
        relays = self._make_relays(number)
        await relays.start()
        one: OwnedPartition = await self._compute(self._make, number)
        one.needed, relays.figures = lambda: relays.drained, one.figures
        self._relaying[number] = asyncio.create_task(relays.run())
        return one

    async def _drop(self, number: int) -> None:
        one, relaying = self.partitions.pop(number), self._relaying.pop(number, None)
        if relaying is not None:
            relaying.cancel()
            await asyncio.wait([relaying])
        await self._compute(one.close)

    async def _begin_again(self) -> None:
        """Begin anew with what is this worker's, though somebody else had it meanwhile.

        A worker that was paused is refused by the store, or its relays by Kafka. If the partition is its own
        all the same, because it was given back, it goes on as a new owner; not at once, for a zombie does not
        know yet that it is one.
        """
        for number in [one for one, task in self._relaying.items() if task.done()]:
            self._relaying[number].result()  # raises what is a defect
            log.warning("partition %d: its relays ended; it is let go", number)
            await self._drop(number)
            self._not_before[number] = time.monotonic() + _AGAIN_SECONDS
        for at in sorted(self._consumer.assignment()):
            number = at.partition
            if number not in self.partitions and time.monotonic() >= self._not_before.get(number, 0.0):
                one = await self._begin(number)
                if at not in self._consumer.assignment():  # it went away while it was begun
                    self.partitions[number] = one
                    await self._drop(number)
                    continue
                self.partitions[number] = one
                self._consumer.seek(at, one.next_offset)

    async def _step(self) -> None:
        await self._begin_again()
        fetched = await self._consumer.getmany(timeout_ms=100, max_records=MOST)
        for at, records in fetched.items():
            if at.partition in self.partitions:
                self.partitions[at.partition].figures.behind_since = records[0].timestamp / 1000
        for at, records in fetched.items():
            messages = [
                incoming(at.topic, at.partition, one.offset, one.timestamp, one.value, one.headers)
                for one in records
            ]
            await self._take(at.partition, messages)
        for number in sorted(self.partitions.keys() - {at.partition for at in fetched}):
            one = self.partitions.get(number)
            if one is not None and one.owner is None and await self._is_at_end(number):
                await self._take(number, [])

    async def _take(self, number: int, messages: list[Any]) -> None:
        one = self.partitions.get(number)
        if one is None:
            return
        try:
            await self._compute(one.take, messages, await self._is_at_end(number))
        except Ending as error:
            log.warning("partition %d: %s", number, error)
        except NotOwner as error:
            self.fenced += 1
            log.warning("partition %d: %s; it is let go", number, error)
            await self._drop(number)
            self._not_before[number] = time.monotonic() + _AGAIN_SECONDS

    async def _is_at_end(self, number: int) -> bool:
        """Whether all that is committed in the partition has been fetched."""
        at = TopicPartition(self._topic, number)
        if at not in self._consumer.assignment():
            return False
        stable = self._consumer.last_stable_offset(at)
        if stable is None:
            return False
        behind = max(0, stable - await self._consumer.position(at))
        if number in self.partitions:
            self.partitions[number].figures.blocks_behind = behind
        return bool(behind == 0)

    async def tick(self) -> None:
        """Let time pass in partitions to which nobody writes: one tick a minute."""
        if self._producer is None:
            return
        minute = int(time.time() // 60)
        for number, one in list(self.partitions.items()):
            if one.owner is None or one.clock >= minute or self._ticked.get(number) == minute:
                continue
            self._ticked[number] = minute
            await self.write(number, [Control(TICK, None, "{}")])

    async def write(self, number: int, controls: Sequence[Control]) -> None:
        """Append control records to a partition."""
        message = control_message(controls, number)
        assert self._producer is not None  # `run` makes it first
        await self._producer.send_and_wait(
            self._topic, message.value, partition=number, headers=message.headers
        )
