"""A provider whose official client blocks: its requests run in a bounded number of threads."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from sinks.channels.cloud.errors import NotReady, broke
from sinks.channels.cloud.message import Prepared, Unfit
from sinks.channels.cloud.settings import CloudSettings
from sinks.channels.message import Message
from sinks.channels.provider import Outcome, Refused, Unknown
from sinks.channels.settings import parse_seconds

Client = TypeVar("Client")


class CloudSms(ABC, Generic[Client]):
    """What `Provider` asks for, but for the protocol: how a client is made, and what it is asked."""

    def __init__(self, settings: CloudSettings, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.seconds = parse_seconds(settings.timeout)
        self._threads = settings.threads
        self._called = settings.called
        self._pool: ThreadPoolExecutor | None = None
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

    async def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send messages; what the provider will never take is not sent."""
        outcomes: dict[int, Outcome] = {}
        places: dict[int, int] = {}
        prepared: list[Prepared] = []
        for place, message in enumerate(messages):
            try:
                prepared.append(self.prepare(message))
            except Unfit as unfit:
                outcomes[place] = Refused("give_up", "", str(unfit))
            else:
                places[id(prepared[-1])] = place
        groups = self.groups(prepared)
        for group, done in zip(groups, await self._run(groups), strict=True):
            for one, outcome in zip(group, done, strict=True):
                outcomes[places[id(one)]] = outcome
        return [outcomes[place] for place in range(len(messages))]

    async def _run(self, groups: Sequence[Sequence[Prepared]]) -> list[Sequence[Outcome]]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=self._called)
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(self._pool, self._one, group) for group in groups))

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
        self._client = None
