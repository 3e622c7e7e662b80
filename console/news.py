"""Who waits for a customer's inbox to change, woken as the store tells of changes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import redis

from sinks.inbox.names import news_channel

_LOOK_SECONDS = 0.5  # how soon the thread sees that nobody waits any more
_AGAIN_SECONDS = 1.0  # between tries while the store is away
MOST = 1000  # who wait at once, in this process


class TooMany(Exception):
    """So many wait already."""


class Waiter:
    """One who waits, in an event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Let `wait` return. Any thread may call it."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Return after news, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()


class News:
    """One shop's, for all who wait in this process: one connection, in a thread that lives while they do.

    News may be lost while the store is away; all are woken when it is back, and whoever waits looks anyway
    from time to time.
    """

    def __init__(self, client: redis.Redis, shop: str) -> None:
        self._client, self._channel = client, news_channel(shop)
        self._lock = threading.Lock()
        self._waiting: dict[bytes, set[Waiter]] = {}
        self._count = 0
        self._is_listening = False

    @property
    def is_full(self) -> bool:
        """Whether as many wait as may."""
        return self._count >= MOST

    @contextlib.contextmanager
    def waiter(self, customer: bytes) -> Iterator[Waiter]:
        """Yield one who is told of a customer's inbox (id of 16 bytes). In an event loop. Raises TooMany."""
        one, name = Waiter(), customer.hex().encode()
        with self._lock:
            if self._count >= MOST:
                raise TooMany
            self._count += 1
            self._waiting.setdefault(name, set()).add(one)
            if not self._is_listening:
                self._is_listening = True
                threading.Thread(target=self._listen, name="inbox news", daemon=True).start()
        try:
            yield one
        finally:
            with self._lock:
                self._count -= 1
                self._waiting[name].discard(one)
                if not self._waiting[name]:
                    del self._waiting[name]

    def _listen(self) -> None:
        pause = threading.Event()
        while True:
            try:
                listening: Any = self._client.pubsub()  # type: ignore[no-untyped-call]  # redis types all but it
                with contextlib.closing(listening) as told:
                    told.subscribe(self._channel)
                    while self._is_wanted():
                        self._hear(told.get_message(timeout=_LOOK_SECONDS))
                return
            # The last two: redis-py, where the client is closed meanwhile and the connection with it
            except (redis.RedisError, OSError, ValueError, TypeError):
                pause.wait(_AGAIN_SECONDS)
                if not self._is_wanted():
                    return

    def _is_wanted(self) -> bool:
        """Whether somebody waits; if not, the thread has to end: the next one who waits begins another."""
        with self._lock:
            self._is_listening = self._count > 0
            return self._is_listening

    def _hear(self, message: Any) -> None:
        if message is None:
            return
        with self._lock:
            if message["type"] == "subscribe":  # what came before is not told
                woken = [one for some in self._waiting.values() for one in some]
            else:
                woken = list(self._waiting.get(message["data"], ()))
        for one in woken:
            one.wake()
