"""What drains a partition's outbox: to the topics of effects, and to history on ClickHouse (semantics P5)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import redis

from app.clickhouse_address import clickhouse_address
from app.shop import Shop
from app.worker.figures import PartitionFigures
from sinks.history.history import EFFECTS
from sinks.history.relay import HistoryRelay
from sinks.history.server import ServerHistory
from sinks.history.spool import Spool
from sinks.history.spooled import SpooledHistory
from sinks.store.effects import StoreEffects
from sinks.store.store import Store
from sinks.topics.errors import Away, Fenced
from sinks.topics.names import topics_of
from sinks.topics.relay import TopicRelay
from streams.errors import InputError
from streams.log.log import Log

_PAUSE_SECONDS = 0.05
_AGAIN_SECONDS = 1.0
SPOOL = "spool"
Found = TypeVar("Found")
log = logging.getLogger(__name__)


class PartitionRelays:
    """One partition's, as long as this worker owns it: `start`, then `run` until it is cancelled.

    Topics are written from the event loop, history in the executor's thread. Neither waits for the other, nor
    the engine for them: effects wait in the outbox, which loses what both have.
    """

    def __init__(
        self, number: int, shop: Shop, bootstrap: str, folder: Path, open_store: Callable[[], redis.Redis],
        executor: Executor,
    ) -> None:  # fmt: skip
        """folder: of the partition's copy; open_store: a connection of the caller's own."""
        self.number = number
        self._executor = executor
        self._store = Store(open_store(), shop.settings.name, first=number)
        self._topics = TopicRelay(
            bootstrap, topics_of(shop.settings.name), number, StoreEffects(self._store), place=0
        )
        self._history = _History(number, shop, folder, open_store()) if shop.settings.history else None
        self._trimmed = 0
        self._told: dict[str, str] = {}
        self.drained = 0  # the first effect that some relay still needs
        self.figures = PartitionFigures()

    async def start(self) -> int:
        """Fence off whoever relayed this partition before; return the first effect that is still needed."""
        while True:
            try:
                await self._topics.start()
                break
            except Away as error:
                log.warning("partition %d: %s", self.number, error)
                await asyncio.sleep(_AGAIN_SECONDS)
        return self._note()

    async def run(self) -> None:
        """Drain, until cancelled or another worker has the partition."""
        tasks = [self._drain_topics()]
        if self._history is not None:
            tasks.append(self._drain_history(self._history))
        try:
            await asyncio.gather(*tasks)
        except Fenced as error:
            log.warning("partition %d: %s", self.number, error)
        finally:
            await self._topics.stop()
            if self._history is not None:
                await self._in_thread(self._history.close)

    async def _in_thread(self, work: Callable[..., Found], *arguments: Any) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    async def _drain_topics(self) -> None:
        while True:
            try:
                done = await self._topics.step()
                self._note()
                if done:
                    await self._in_thread(self._trim)
                else:
                    await asyncio.sleep(_PAUSE_SECONDS)
            except redis.RedisError as error:
                await self._pause("the outbox", error)
            except InputError as error:
                await self._pause("topics", error)
                await self.start()

    async def _drain_history(self, history: _History) -> None:
        while True:
            try:
                done = await self._in_thread(history.step)
                self._note()
                if done:
                    await self._in_thread(self._trim)
                else:
                    await asyncio.sleep(_PAUSE_SECONDS)
            except (InputError, redis.RedisError) as error:
                await self._pause("history", error)

    async def _pause(self, what: str, error: Exception) -> None:
        """Wait a little, and say why once until it is something else."""
        line = f"{what}: {error}"
        if line != self._told.get(what):
            self._told[what] = line
            log.warning("partition %d: %s", self.number, line)
        await asyncio.sleep(_AGAIN_SECONDS)

    def _note(self) -> int:
        """Work out what is drained by all."""
        self.drained = self._topics.drained
        if self._history is not None:
            self.drained = min(self.drained, self._history.drained)
            self.figures.history_lag = self._history.lag_seconds
        self.figures.drained = self.drained
        return self.drained

    def _trim(self) -> None:
        if self.drained > self._trimmed:
            self._store.trim(0, self.drained)
            self._trimmed = self.drained


class _History:
    """The relay to history; every call is the executor's thread's. It connects when it is first used."""

    def __init__(self, number: int, shop: Shop, folder: Path, client: redis.Redis) -> None:
        self._number, self._folder = number, folder
        self._store = Store(client, shop.settings.name, first=number)
        self._server = ServerHistory(clickhouse_address(shop), shop.settings.zone)
        self._spooled: SpooledHistory | None = None
        self._relay: HistoryRelay | None = None
        self._log: Log | None = None
        self.drained = 0
        self.lag_seconds = 0.0

    def step(self) -> int:
        """Copy what is due, and bring what waits on disk to the server."""
        if self._relay is None:
            self._spooled = self._spooled or SpooledHistory(self._server, Spool(self._folder / SPOOL))
            self._log = self._log or Log.open(self._folder)
            self.drained = self._spooled.drained(EFFECTS).get(self._number, -1) + 1
            self._relay = HistoryRelay(
                self._spooled, self._log, StoreEffects(self._store), numbers=[self._number]
            )
        assert self._spooled is not None  # made with the relay
        done = self._relay.step() + self._spooled.drain()
        self.lag_seconds = self._relay.lag().seconds
        self.drained = self._relay.drained[1][0]
        return done

    def close(self) -> None:
        """Let go of files and connections."""
        if self._log is not None:
            self._log.close()
        if self._spooled is not None:
            self._spooled.close()
