"""Stage 1: reads whole fetches of the sources' topics and takes them into the log, a lane a partition.

What was fetched of all lanes is one batch: it costs some 15 ms however small it is. A fetch is read only when
the last one is in the log, so that memory stays bounded however slow that is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from streams.message import Message
from streams.worker.keeper import Fetched, Keeper

FETCH_BYTES = 2_000_000  # of one lane: some 4,000 messages
MOST, FEWEST, FIRST = 16_000, 500, 2_000  # messages of one batch, and of the first
BATCH_SECONDS = 2.0  # a batch that takes longer is followed by smaller ones: a rebalance waits for it
GATHER_BYTES, GATHER_MS = 65_536, 100  # a broker answers with so much, or after so long with what there is
SESSION_MS, HEARTBEAT_MS = 6_000, 2_000
REBALANCE_MS = 60_000  # so long others wait for one who is alive; else it would be put out and all begin anew
_AGAIN_SECONDS, _LOOK_SECONDS = 0.5, 3.0
log = logging.getLogger(__name__)


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs until it is cancelled. sources: by topic the sources whose messages stand there."""

    def __init__(
        self, bootstrap: str, group: str, sources: Mapping[str, Sequence[str]], keeper: Keeper,
        away: type[Exception] | tuple[type[Exception], ...],
    ) -> None:  # fmt: skip
        """away: what the store raises while it cannot be reached."""
        self._bootstrap, self._group, self._sources, self.keeper = bootstrap, group, sources, keeper
        self._away = (KafkaError, OSError, *((away,) if isinstance(away, type) else away))
        self._consumer: Any = None
        self._reading: set[str] = set()
        self._look_again, self._told = 0.0, ""
        self._most = FIRST

    async def run(self) -> None:
        """Take in what comes."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed", session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS, max_poll_interval_ms=600_000, metadata_max_age_ms=30_000,
            rebalance_timeout_ms=REBALANCE_MS, max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=GATHER_MS, fetch_min_bytes=GATHER_BYTES,
        )  # fmt: skip
        await self._consumer.start()
        try:
            while True:
                if not await self._look_for_topics():
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                fetched = await self._consumer.getmany(timeout_ms=200, max_records=self._most)
                began = time.monotonic()
                await self._take(fetched)
                count = sum(len(found) for found in fetched.values())
                self._most = next_most(self._most, count, time.monotonic() - began)
        finally:
            await self.keeper.release()
            await self._consumer.stop()

    async def _look_for_topics(self) -> bool:
        """Read those topics that are there; a connector makes a table's when it has its first row.

        To ask for one that is not there could make it, with one partition. Returns whether any is read.
        """
        if time.monotonic() >= self._look_again and len(self._reading) < len(self._sources):
            there = self._sources.keys() & await self._consumer.topics()
            if there != self._reading:
                self._consumer.subscribe(sorted(there), listener=self)
                self._reading = set(there)
            if missing := sorted(self._sources.keys() - there):
                self._tell(f"not there yet, and looked for again: {', '.join(missing)}")
            self._look_again = time.monotonic() + _LOOK_SECONDS
        return bool(self._reading)

    def _tell(self, line: str) -> None:
        """Say something once until it changes."""
        if line != self._told:
            self._told = line
            log.warning("topics of sources: %s", line)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let go of everything behind the batch at hand: what comes back is claimed again."""
        await self.keeper.release()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Nothing: what this worker has is claimed before its next batch."""

    async def _take(self, fetched: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Take a fetch in; after an error its lanes go on where the log says."""
        assigned = self._consumer.assignment()  # some may be another worker's since they were fetched
        mine = {at: self._fetched(at, found) for at, found in fetched.items() if at in assigned}
        try:
            reached = await self.keeper.take(assigned, mine)
        except self._away as error:
            self.keeper.figures.failures += 1
            log.warning("%s: %s; lanes go on where the log says", type(error).__name__, error)
            await asyncio.sleep(_AGAIN_SECONDS)
            reached = {at: one.first for at, one in mine.items()}
        for at, offset in reached.items():
            if offset != mine[at].following and at in self._consumer.assignment():
                self._consumer.seek(at, offset)

    def _fetched(self, at: TopicPartition, records: Sequence[Any]) -> Fetched:
        messages = [
            Message(source, f"{at.topic}/{at.partition}/{one.offset}", one.value, one.key)
            for one in records for source in self._sources[at.topic]
        ]  # fmt: skip
        return Fetched(messages, len(records), records[0].offset, records[-1].offset + 1)


def next_most(most: int, count: int, seconds: float) -> int:
    """Return how many messages the next batch may have, when the last had so many and took so long.

    >>> next_most(16_000, 16_000, 8.0), next_most(2_000, 2_000, 0.2), next_most(2_000, 3, 0.02)
    (4000, 4000, 2000)
    >>> next_most(600, 600, 60.0), next_most(16_000, 16_000, 1.0)
    (500, 16000)
    """
    if seconds > BATCH_SECONDS and count:
        return max(FEWEST, min(most, int(count * BATCH_SECONDS / seconds)))
    return min(MOST, 2 * most) if count >= most and 2 * seconds <= BATCH_SECONDS else most
