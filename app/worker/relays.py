"""What drains a partition's outbox: to the topics of effects, and to history on ClickHouse (semantics P5)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

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

_GATHER_SECONDS = 0.25  # behind a step: what comes meanwhile is one step, and one transaction
_LOOK_SECONDS = 2.0  # a relay that was not woken looks all the same
_AGAIN_SECONDS = 1.0
SPOOL = "spool"
log = logging.getLogger(__name__)


class PartitionRelays:
    """One partition's, as long as this worker owns it: `start`, then `run` until it is cancelled.

    Topics are written from the event loop, history in the executor's thread. Neither waits for the other, nor
    the engine for them, nor another partition: effects wait in the outbox, which loses what both have.
    """

    def __init__(
        self, number: int, shop: Shop, bootstrap: str, folder: Path, open_store: Callable[[], redis.Redis],
        executor: Executor,
    ) -> None:  # fmt: skip
        """folder: of the partition's copy; open_store: a connection of the caller's own; executor: one thread
        of the partition's own, in which its next relays begin when these have closed."""
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
        self._for_topics, self._for_history = asyncio.Event(), asyncio.Event()

    def wake(self) -> None:
        """Something was committed. Called in the event loop."""
        self._for_topics.set()
        self._for_history.set()

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
        """Drain, until cancelled or another worker has the partition.

        Raises BeginsLate where history needs records that the copy begins behind.
        """
        work = [self._drain_topics()]
        if self._history is not None:
            work.append(self._drain_history(self._history))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await asyncio.gather(*tasks)
        except Fenced as error:
            log.warning("partition %d: %s", self.number, error)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.wait(tasks)
            await self._topics.stop()
            if self._history is not None:  # not waited for: a server that is frozen would hold the worker up
                self._executor.submit(self._history.close).add_done_callback(self._closed)

    def _closed(self, closing: Future[None]) -> None:
        """Tell of an error that nobody waits for."""
        if (error := closing.exception()) is not None:
            log.warning("partition %d: history is not closed: %r", self.number, error)

    async def _drain_topics(self) -> None:
        while True:
            try:
                self._for_topics.clear()
                done = await self._topics.step()
                self._note()
                if done:
                    await asyncio.to_thread(self._trim)
                    await asyncio.sleep(_GATHER_SECONDS)
                else:
                    await until_woken(self._for_topics)
            except redis.RedisError as error:
                await self._pause("the outbox", error)
            except InputError as error:
                await self._pause("topics", error)
                await self.start()

    async def _drain_history(self, history: _History) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._for_history.clear()
                done = await loop.run_in_executor(self._executor, history.step)
                self._note()
                if done:
                    await asyncio.to_thread(self._trim)
                    await asyncio.sleep(_GATHER_SECONDS)
                else:
                    await until_woken(self._for_history)
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


async def until_woken(woken: asyncio.Event) -> None:
    """Wait until something was committed since the last look, but not for ever.

    ``asyncio.wait_for`` forgets a cancellation that comes together with the event, up to Python 3.11; the
    relay would go on, and its worker never end.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_SECONDS):
            await woken.wait()


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
