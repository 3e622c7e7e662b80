"""A provider whose official client blocks: its requests run in a bounded number of threads."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from sinks.channels.batch import NOT_BEGUN, Batch, side_by_side
from sinks.channels.cloud.errors import NotReady, broke
from sinks.channels.cloud.message import Prepared, Unfit
from sinks.channels.cloud.settings import CloudSettings
from sinks.channels.message import Message
from sinks.channels.outcome import Outcome, Refused, Unknown
from sinks.channels.settings import parse_seconds

Client = TypeVar("Client")


class CloudSms(ABC, Generic[Client]):
    """What `Provider` asks for, but for the protocol: how a client is made, and what it is asked."""

    def __init__(self, settings: CloudSettings, environment: Mapping[str, str], together: int = 1) -> None:
        """together: messages that one request may carry."""
        self.environment = environment
        self.seconds = parse_seconds(settings.timeout)
        self._threads, self._together = settings.threads, together
        self._called = settings.called
        self._pool: ThreadPoolExecutor | None = None
        self._room: asyncio.Semaphore | None = None
        self._client: Client | None = None
        self._making = threading.Lock()

    @abstractmethod
    def connect(self) -> Client:
        """Import and make the client, which connects when it sends. Raises NotReady."""

    @abstractmethod
    def prepare(self, message: Message) -> Prepared:
        """Fit a message to the provider. Raises Unfit."""

    @abstractmethod
    def groups(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Prepared]]:
        """Say what goes in one request."""

    @abstractmethod
    def carry(self, client: Client, group: Sequence[Prepared]) -> Sequence[Outcome]:
        """Send one request, in a thread; what it raises is an outcome of the whole group (`broke`)."""

    async def open(self) -> None:
        """Nothing is connected to before there is something to send."""

    async def send(self, batch: Batch) -> None:
        """Send messages; what the provider will never take is not sent."""
        if self._pool is None or self._room is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=self._called)
            self._room = asyncio.Semaphore(self._threads)
        groups: deque[Sequence[Prepared]] = deque()
        ways = min(self._threads, len(batch))
        try:
            await side_by_side(ways, self._room, partial(self._one_more, batch, groups, self._pool))
        finally:
            for group in groups:
                for one in group:
                    batch.tell(one.message, NOT_BEGUN)

    async def _one_more(
        self, batch: Batch, groups: deque[Sequence[Prepared]], pool: ThreadPoolExecutor
    ) -> bool:
        """Send one request; return whether there is more to send. groups: prepared, for this and the next."""
        if groups and batch.ended:
            return False
        while not groups and (messages := batch.take(self._together)):
            groups.extend(self.groups(self._fit(batch, messages)))
        if not groups:
            return False
        group = groups.popleft()
        done = await asyncio.get_running_loop().run_in_executor(pool, self._one, group)
        for one, outcome in zip(group, done, strict=True):
            batch.tell(one.message, outcome)
        return True

    def _fit(self, batch: Batch, messages: Sequence[Message]) -> list[Prepared]:
        prepared = []
        for message in messages:
            try:
                prepared.append(self.prepare(message))
            except Unfit as unfit:
                batch.tell(message, Refused("give_up", "", str(unfit)))
        return prepared

    def _one(self, group: Sequence[Prepared]) -> Sequence[Outcome]:
        try:
            with self._making:
                client = self._client = self._client or self.connect()
        except NotReady as reason:
            return [Refused("stop", "", str(reason)) for _ in group]
        try:
            return self.carry(client, group)
        except Exception as error:  # noqa: BLE001 - a client lets out whatever its libraries raise
            outcome: Refused | Unknown = broke(error)
            return [outcome for _ in group]

    async def close(self) -> None:
        """Wait for the requests at hand, and let go of the client."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)
        self._client, self._room = None, None
