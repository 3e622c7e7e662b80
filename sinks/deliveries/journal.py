"""The topic ``ledger`` as its one writer has it: what it says is committed is so, and stays so.

The writer is a producer of the shop's one transactional id, so whoever begins fences its predecessor off: a
sender that was paused, or that only thinks it is the sender, can commit nothing any more. What became of a
commit that failed is asked of the topic, as long as that takes: until then nothing may be done.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from sinks.topics.errors import Fenced
from sinks.topics.events import Event
from sinks.topics.names import topics_of
from sinks.topics.packing import Packing
from sinks.topics.unheard import hear
from streams.changes.reading import fetches
from streams.changes.topics import Topics
from streams.changes.wire import Outgoing
from streams.errors import InputError
from streams.worker.claiming import in_transaction, open_producer

BY = "by"  # header: the life of a sender, and a number in it
_AGAIN_SECONDS = 1.0


class TopicJournal:
    """A `sinks.deliveries.logged.Journal`. `begin` it first. One thread's, which waits while brokers do."""

    def __init__(
        self, bootstrap: str, topics: Topics, mine: Callable[[], bool], say: Callable[[str], None],
        count: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """mine: whether this process is still the one that is to send; say: a line for people; count: called
        for each message that was committed."""
        self._bootstrap, self._topics, self._mine, self._say = bootstrap, topics, mine, say
        self._life, self._number = uuid.uuid4().hex, 0
        self._next = 0  # offset behind the last message that is known
        self._producer: AIOKafkaProducer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="journal", daemon=True)
        self._thread.start()
        self._count = count

    def begin(self, next_: int, take: Callable[[Sequence[tuple[int, bytes]]], None]) -> None:
        """Fence whoever wrote before off, then read what there is from an offset on.

        take: gets (offset, records), fetch by fetch. Raises Fenced where it is to send no more.
        """
        self._next = next_

        def read() -> None:
            for _, records in fetches(self._bootstrap, self._topics.ledger, {0: self._next}):
                take([(one.offset, one.value) for one in records])
                self._next = records[-1].offset + 1

        self._until_there(read)

    def commit(
        self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Event] = ()
    ) -> int:
        """Append a message of records, messages of the log, and events. Raises Fenced."""
        self._number += 1
        name = f"{self._life}/{self._number}".encode()
        while True:
            try:
                offset = int(self._run(self._send(name, message, outgoing, events)))
                break
            except ProducerFenced as error:
                raise Fenced("another sender writes the ledger now") from error
            except (KafkaError, OSError, TimeoutError) as error:
                self._say(f"the ledger: {type(error).__name__}: {error}; it is asked what became of it")
            found = self._until_there(lambda: self._found(name))
            if found is not None:
                offset = found
                break
        self._next = offset + 1
        self._count()
        return offset

    def close(self) -> None:
        """Let go of the brokers; what is not committed never will be."""
        self._run(self._let_go())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _until_there(self, read: Callable[[], Any]) -> Any:
        """Begin as the producer, which ends whatever was open, then read; again until it is so."""
        told = ""
        while True:
            if not self._mine():
                raise Fenced("another worker is to send now")
            try:
                self._run(self._start())
                return read()
            except ProducerFenced as error:
                raise Fenced("another sender writes the ledger now") from error
            except (KafkaError, OSError, TimeoutError, InputError) as error:
                if str(error) != told:
                    told = str(error)
                    self._say(f"the ledger: {type(error).__name__}: {error}; it is tried again")
                time.sleep(_AGAIN_SECONDS)

    def _found(self, name: bytes) -> int | None:
        """Return the offset of a message; None where it was not committed, and never will be."""
        for _, records in fetches(self._bootstrap, self._topics.ledger, {0: self._next}):
            for one in records:
                if dict(one.headers)[BY] != name:
                    raise Fenced("another sender has written the ledger meanwhile")
                return int(one.offset)
        return None

    async def _start(self) -> None:
        await self._let_go()
        producer = open_producer(self._bootstrap, f"{self._topics.ledger}.sender")
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def _send(
        self, name: bytes, message: bytes, outgoing: Sequence[Outgoing], events: Sequence[Event]
    ) -> int:
        producer = self._producer
        assert producer is not None  # `begin` made it
        topics = topics_of(self._topics.shop).of_events
        counts = {topics[kind]: len(await producer.partitions_for(topics[kind]))
                  for kind in {one.kind for one in events}}  # fmt: skip
        packing = Packing(producer, counts)
        with in_transaction():
            await producer.begin_transaction()
            sent = [await producer.send(self._topics.ledger, message, partition=0, headers=[(BY, name)])]
            for one in outgoing:
                sent.append(await producer.send(
                    self._topics.changes, one.value, partition=one.partition, headers=one.headers
                ))  # fmt: skip
            for event in events:
                await packing.add(topics[event.kind], event.key, event.value, event.headers)
            await packing.deliver()
            written = await asyncio.gather(*sent)
            await producer.commit_transaction()
        return int(written[0].offset)

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError, OSError):
                await producer.stop()
            hear(producer)
