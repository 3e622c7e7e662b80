"""Stage 2: owns partitions of the log, follows them and keeps the store.

One thread computes for all partitions of a worker. A fetch is read only when the last one is committed, so
that memory stays bounded however slow the store is. A partition that stays at a rebalance keeps its state;
what goes is let go only then, and a zombie is refused by the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from app.worker.partition import Ending, NotOwner, OwnedPartition
from app.worker.relays import PartitionRelays
from app.worker.sharing import SharedPlace
from streams.changes.controls import control_message
from streams.changes.reading import messages
from streams.changes.topics import LARGEST_MESSAGE
from streams.control import TICK, Control
from streams.log.begins import BeginsLate
from streams.worker.intake import GATHER_BYTES, GATHER_MS, HEARTBEAT_MS, REBALANCE_MS, SESSION_MS

MOST = 500  # blocks of one fetch
_AGAIN_SECONDS = 2.0
log = logging.getLogger(__name__)


class Owning(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs until it is cancelled."""

    def __init__(
        self, bootstrap: str, topic: str, group: str, make: Callable[[int], OwnedPartition],
        make_relays: Callable[[int], PartitionRelays], executor: Executor, shared: SharedPlace | None = None,
    ) -> None:  # fmt: skip
        self._bootstrap, self._topic, self._group = bootstrap, topic, group
        self._make, self._make_relays, self._executor = make, make_relays, executor
        self._shared = shared
        self._whole: set[int] = set()  # partitions whose log must be read from its beginning
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
            rebalance_timeout_ms=REBALANCE_MS, max_partition_fetch_bytes=LARGEST_MESSAGE,
            fetch_max_wait_ms=GATHER_MS, fetch_min_bytes=GATHER_BYTES,
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
        """Go on where what stays stands. What others have now is let go with the next step, and what is new
        begins then: a member that is waited for here says nothing to the group, and is put out of it."""
        for number in sorted({at.partition for at in assigned} & self.partitions.keys()):
            self._consumer.seek(TopicPartition(self._topic, number), self.partitions[number].next_offset)

    async def _begin(self, number: int) -> OwnedPartition:
        """Begin to own a partition: its relays first, since they say which effects are still needed."""
        relays = self._make_relays(number)
        await relays.start()
        one: OwnedPartition = await self._compute(self._make, number)
        one.needed, relays.figures = lambda: relays.drained, one.figures
        loop = asyncio.get_running_loop()
        one.committed = lambda: _wake(loop, relays)
        at = TopicPartition(self._topic, number)
        first = (await self._consumer.beginning_offsets([at]))[at]
        end = (await self._consumer.end_offsets([at]))[at]
        await self._compute(one.prepare, first, end, self._shared, number in self._whole)
        self._whole.discard(number)
        self._relaying[number] = asyncio.create_task(relays.run())
        return one

    async def _drop(self, number: int) -> None:
        one, relaying = self.partitions.pop(number), self._relaying.pop(number, None)
        if relaying is not None:
            relaying.cancel()
            await asyncio.wait([relaying])
        await self._compute(one.close)

    async def _begin_again(self) -> None:
        """Let go of what others have now, and begin anew with what is this worker's, though somebody else had
        it meanwhile.

        A worker that was paused is refused by the store, or its relays by Kafka. If the partition is its own
        all the same, because it was given back, it goes on as a new owner; not at once, for a zombie does not
        know yet that it is one.
        """
        mine = {at.partition for at in self._consumer.assignment()}
        for number in [one for one in self.partitions if one not in mine]:
            await self._drop(number)
        for number in [one for one, task in self._relaying.items() if task.done()]:
            try:
                self._relaying[number].result()  # raises what is a defect
                log.warning("partition %d: its relays ended; it is let go", number)
            except BeginsLate as error:
                self._read_all(number, error)
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

    def _read_all(self, number: int, why: BeginsLate) -> None:
        """Let the next beginning have the log from its first message: history, or new settings, need it."""
        log.warning("partition %d: %s; the whole log is read", number, why)
        self._whole.add(number)

    async def _step(self) -> None:
        await self._begin_again()
        fetched = await self._consumer.getmany(timeout_ms=100, max_records=MOST)
        for at, records in fetched.items():
            if at.partition in self.partitions:
                self.partitions[at.partition].figures.behind_since = records[0].timestamp / 1000
        there = {at.partition: records for at, records in fetched.items()}
        begun = {number for number, one in self.partitions.items() if one.owner is not None}
        work = []
        for number in sorted(there.keys() & self.partitions.keys() | self.partitions.keys() - begun):
            at_end = await self._is_at_end(number)
            if number in there or at_end:
                work.append((self.partitions[number], there.get(number, ()), at_end))
        if work:
            await self._let_go(await self._compute(_follow, self._topic, work))

    async def _let_go(self, failed: Sequence[tuple[int, Exception]]) -> None:
        """Tell of the partitions that could not be followed, and let go of those that others have."""
        for number, error in failed:
            log.warning("partition %d: %s", number, error)
            if number not in self.partitions:
                continue
            if isinstance(error, BeginsLate):
                self._read_all(number, error)
                await self._drop(number)
            elif isinstance(error, NotOwner):
                self.fenced += 1
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


def _follow(
    topic: str, work: Sequence[tuple[OwnedPartition, Sequence[Any], bool]]
) -> list[tuple[int, Exception]]:
    """Let each partition take its records, whether it is at its end then or not; return which could not."""
    failed: list[tuple[int, Exception]] = []
    for one, records, at_end in work:
        try:
            one.take(messages(topic, one.number, records), at_end)
        except (BeginsLate, Ending, NotOwner) as error:
            failed.append((one.number, error))
    return failed


def _wake(loop: asyncio.AbstractEventLoop, relays: PartitionRelays) -> None:
    """Let relays know, from another thread, that something was committed; a loop that has ended needs not."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(relays.wake)
