"""Stage 1: reads whole fetches of the sources' topics and takes them into the log, a lane a partition.

Lanes share one thread for what computes; while one waits for Kafka another computes. A fetch is read only
when all lanes have taken the last one, so that memory stays bounded however slow the log is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from streams.message import Message
from streams.worker.keeper import Keeper

FETCH_BYTES = 2_000_000  # of one lane: some 4,000 messages; a batch costs 20 ms however small it is
SESSION_MS, HEARTBEAT_MS = 6_000, 2_000
_AGAIN_SECONDS, _LOOK_SECONDS = 0.5, 3.0
log = logging.getLogger(__name__)


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs until it is cancelled. sources: by topic the sources whose messages stand there."""

    def __init__(
        self, bootstrap: str, group: str, sources: Mapping[str, Sequence[str]],
        make: Callable[[TopicPartition, Any], Keeper], away: type[Exception] | tuple[type[Exception], ...],
    ) -> None:  # fmt: skip
        """make: a lane's keeper, with how to ask for the group's offset; away: what the store raises while it
        cannot be reached."""
        self._bootstrap, self._group, self._sources, self._make = bootstrap, group, sources, make
        self._away = (KafkaError, OSError, *((away,) if isinstance(away, type) else away))
        self._consumer: Any = None
        self.keepers: dict[TopicPartition, Keeper] = {}
        self.messages = 0
        self._reading: set[str] = set()
        self._look_again, self._told = 0.0, ""

    async def run(self) -> None:
        """Take in what comes."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed", session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS, max_poll_interval_ms=600_000, metadata_max_age_ms=30_000,
            max_partition_fetch_bytes=FETCH_BYTES,
        )  # fmt: skip
        await self._consumer.start()
        try:
            while True:
                if not await self._look_for_topics():
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                fetched = await self._consumer.getmany(timeout_ms=200)
                await asyncio.gather(*(self._take(at, records) for at, records in fetched.items()))
        finally:
            for keeper in list(self.keepers.values()):
                await keeper.release()
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
        """Let go of nothing yet: who is still the owner afterwards goes on as it was."""

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Let go of the lanes that others have now."""
        for at in [one for one in self.keepers if one not in assigned]:
            await self.keepers.pop(at).release()

    async def _take(self, at: TopicPartition, records: Sequence[Any]) -> None:
        """Take one lane's messages; after an error it goes on where the log says."""
        if at not in self._consumer.assignment():
            return  # it went to another worker since it was fetched
        keeper = self.keepers.get(at)
        if keeper is None:
            keeper = self.keepers[at] = self._make(at, self._consumer.committed)
        first, following = records[0].offset, records[-1].offset + 1
        messages = [
            Message(source, f"{at.topic}/{at.partition}/{one.offset}", one.value, one.key)
            for one in records for source in self._sources[at.topic]
        ]  # fmt: skip
        try:
            reached = await keeper.take(messages, first, following)
        except self._away as error:
            keeper.figures.failures += 1
            log.warning(
                "lane %s: %s: %s; it goes on where the log says", keeper.name, type(error).__name__, error
            )
            await asyncio.sleep(_AGAIN_SECONDS)
            reached = first
        self.messages += len(records)
        keeper.figures.messages += len(records) if reached == following else 0
        if reached != following and at in self._consumer.assignment():
            self._consumer.seek(at, reached)
