"""Who waits for something to come out, woken as it does."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator

from kafka.errors import KafkaError

from console.news import TooMany, Waiter
from streams.errors import InputError

MOST = 100  # who wait at once, in this process
_AGAIN_SECONDS = 1.0  # between tries while what is listened to is away
Listen = Callable[[Callable[[], None], Callable[[], bool]], None]


class Bell:
    """One shop's, for all who wait in this process: one thread listens, while somebody waits.

    listen: `console.form.Effects.listen`. A ring may be lost while what it listens to is away; all are woken
    when that is back, and whoever waits looks anyway from time to time.
    """

    def __init__(self, listen: Listen) -> None:
        self._listen = listen
        self._lock = threading.Lock()
        self._waiting: set[Waiter] = set()
        self._is_listening = False
        self.is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether as many wait as may."""
        return len(self._waiting) >= MOST

    @contextlib.contextmanager
    def waiter(self) -> Iterator[Waiter]:
        """Yield one who is woken. In an event loop. Raises TooMany."""
        one = Waiter()
        with self._lock:
            if self.is_full:
                raise TooMany
            self._waiting.add(one)
            if not self._is_listening:
                self._is_listening = True
                threading.Thread(target=self._work, name="bell", daemon=True).start()
        try:
            yield one
        finally:
            with self._lock:
                self._waiting.discard(one)

    def ring(self) -> None:
        """Wake all who wait. Any thread may call it."""
        with self._lock:
            woken = list(self._waiting)
        for one in woken:
            one.wake()

    def close(self) -> None:
        """Wake all who wait, to go."""
        self.is_closed = True
        self.ring()

    def _work(self) -> None:
        pause = threading.Event()
        while self._is_wanted():
            try:
                self._listen(self.ring, self._is_wanted)
            except (KafkaError, InputError, OSError, sqlite3.Error):  # who waits asks it too, and tells
                pause.wait(_AGAIN_SECONDS)

    def _is_wanted(self) -> bool:
        """Whether somebody waits; if not, the thread has to end: the next one who waits begins another."""
        with self._lock:
            self._is_listening = bool(self._waiting) and not self.is_closed
            return self._is_listening
