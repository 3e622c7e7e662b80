"""A session with an SMSC: one link at a time, made again with growing pauses when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sinks.channels.outcome import Refused
from sinks.channels.smpp.link import Link

FIRST_SECONDS = 0.2  # the pause after the first failure; it doubles
MOST_SECONDS = 30.0
STEADY_SECONDS = 10.0  # a link that lived so long was a good one: the pauses begin anew
PATIENCE_SECONDS = 2.0  # how long a message waits for the next attempt instead of being refused


class Away(Exception):
    """An attempt to connect and bind has failed."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.refused = refused


class Session:
    """connect: makes a bound link; raises Away."""

    def __init__(self, connect: Callable[[], Awaitable[Link]]) -> None:
        self._connect = connect
        self._link: Link | None = None
        self._refused = Refused("retry", "", "not connected yet")
        self._next = 0.0
        self._attempt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep())

    async def link(self) -> Link | Refused:
        """Return the link; where there is none, what the attempt at hand, or the next, comes to."""
        if self._link is not None and not self._link.ended.is_set():
            return self._link
        if self._task.done():
            self._task.result()  # a fault of ours
        left = self._next - asyncio.get_running_loop().time()
        if left > PATIENCE_SECONDS:
            return replace(self._refused, after=round(left, 3))
        await asyncio.wait([self._attempt, self._task], return_when=asyncio.FIRST_COMPLETED)
        return self._link or self._refused

    async def close(self) -> None:
        """Unbind and make no further link."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._link is not None:
            await self._link.close()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                self._link = await self._connect()
            except Away as error:
                self._refused = error.refused
                self._tried()
            else:
                self._tried()
                await self._link.ended.wait()
                self._refused = Refused("retry", "", self._link.reason)
                self._link = None
            failures = 0 if loop.time() - began >= STEADY_SECONDS else failures + 1
            pause = _pause(failures, self._refused)
            self._next = loop.time() + pause
            await asyncio.sleep(pause)

    def _tried(self) -> None:
        done, self._attempt = self._attempt, asyncio.get_running_loop().create_future()
        done.set_result(None)


def _pause(failures: int, refused: Refused) -> float:
    """Return seconds. Half of it is random, so that many who lost one SMSC do not come back at one moment."""
    # wrong credentials do not mend themselves, and some lock an account that tries them often
    longest = MOST_SECONDS if refused.verdict == "stop" else FIRST_SECONDS * 2.0 ** min(failures, 10)
    spread: float = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    return min(longest, MOST_SECONDS) * spread
