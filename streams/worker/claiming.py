"""Who owns a lane, by Kafka: each committed offset names the producer whose transaction wrote it.

A worker writes the log through one transactional producer, under a name that nobody had before. Who claims a
lane fences the producer that its offset names, so that its open transaction ends and none follows; and then
commits the offset again, with its own name, in a transaction of the lane's claims. Of several who claim a
lane at the same time the last to begin wins: it has fenced the claims of the others off.

Who erases a customer claims a lane that has no messages first, then all that there are (`erasers_lane`). Who
claims any lane, also one that is new, looks at that one behind its own, and fences whoever erases off: one of
the two sees the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalOperation, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from streams.changes.topics import LARGEST_MESSAGE

TRANSACTION_MS = 10_000  # a paused owner's open transaction holds readers back no longer
_TIMEOUT_MS = 15_000


def erasers_lane(log: str) -> TopicPartition:
    """Return the lane without messages of whoever erases a customer. log: the topic that is written."""
    return TopicPartition(log, 0)


def open_producer(bootstrap: str, owner: str) -> AIOKafkaProducer:
    """Return the producer, to be started, by which an owner of lanes writes the log."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=owner, acks="all", request_timeout_ms=_TIMEOUT_MS,
        transaction_timeout_ms=TRANSACTION_MS, max_request_size=LARGEST_MESSAGE,
    )  # fmt: skip


@contextlib.contextmanager
def in_transaction() -> Iterator[None]:
    """Raise ProducerFenced, a KafkaError, where the client only says that there is no transaction any more:
    it has heard of a newer producer between two calls."""
    try:
        yield
    except IllegalOperation as error:
        raise ProducerFenced from error


class Claims:
    """Claims lanes for one worker. Its methods are one task's."""

    def __init__(self, bootstrap: str, group: str, log: str) -> None:
        """group: that reads the sources' topics; log: the topic that is written, whose name claims carry."""
        self._bootstrap, self._group, self._log = bootstrap, group, log
        self._erasers = erasers_lane(log)
        self._fenced: set[str] = set()  # nobody starts under such a name again

    async def claim(self, lanes: Iterable[TopicPartition], owner: str) -> dict[TopicPartition, int]:
        """Make these lanes ``owner``'s; return the first offset of each that is not in the log.

        Raises KafkaError; then none may be used.
        """
        wanted = list(lanes)
        claiming = [self._producer(f"{self._log}.{at.topic}/{at.partition}") for at in wanted]
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=_TIMEOUT_MS)
        try:
            await asyncio.gather(admin.start(), *(one.start() for one in claiming))
            stands = await self._offsets(admin, wanted)
            await self._fence({one.metadata for one in stands.values()} - {"", owner})
            offsets = {at: max(one.offset, 0) for at, one in (await self._offsets(admin, wanted)).items()}
            written = zip(claiming, wanted, strict=True)
            await asyncio.gather(*(self._write(one, at, offsets[at], owner) for one, at in written))
            erasers = await self._offsets(admin, [self._erasers])
            await self._fence({one.metadata for one in erasers.values()} - {"", owner})
        finally:
            await asyncio.gather(admin.close(), *(one.stop() for one in claiming), return_exceptions=True)
        return offsets

    async def lanes(self) -> set[TopicPartition]:
        """Return all lanes that anybody has ever claimed. Raises KafkaError."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=_TIMEOUT_MS)
        try:
            await admin.start()
            return set(await admin.list_consumer_group_offsets(self._group)) - {self._erasers}
        finally:
            await admin.close()

    def _producer(self, name: str) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, transactional_id=name, transaction_timeout_ms=TRANSACTION_MS,
            acks="all", request_timeout_ms=_TIMEOUT_MS,
        )  # fmt: skip

    async def _offsets(
        self, admin: AIOKafkaAdminClient, lanes: list[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        found: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(
            self._group, partitions=lanes
        )
        return found

    async def _fence(self, names: set[str]) -> None:
        """Begin as these producers, which ends what they had open and refuses them from now on."""
        for name in sorted(names - self._fenced):
            fencing = self._producer(name)
            try:
                await fencing.start()
            finally:
                await fencing.stop()
            self._fenced.add(name)

    async def _write(self, claiming: AIOKafkaProducer, at: TopicPartition, offset: int, owner: str) -> None:
        async with claiming.transaction():
            await claiming.send_offsets_to_transaction({at: OffsetAndMetadata(offset, owner)}, self._group)
