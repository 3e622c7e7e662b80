"""Steps that are taken again and again, each with the pause behind it, whatever is away or full meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import redis

from sinks.store.store import is_away
from streams.errors import InputError

PAUSE_SECONDS = 0.2
AGAIN_SECONDS = 5.0  # after an error that somebody has to mend
MENDED = (InputError, sqlite3.OperationalError)  # errors of that kind: a full disk most likely


class Turns:
    """Those of one shop's relays. say: gets a line when something has to be mended, once until it is; trim:
    is called behind each step. Any thread may take its turns."""

    def __init__(self, say: Callable[[str], None], trim: Callable[[], None]) -> None:
        self._say, self._trim = say, trim
        self._told: dict[str, str] = {}

    def take(self, name: str, step: Callable[[], int]) -> float:
        """Do a step; return how long to pause: where there was nothing to do, or something to be mended."""
        try:
            pause = 0.0 if step() else PAUSE_SECONDS
            self._trim()
            self.is_well(name)
            return pause
        except redis.RedisError as error:
            if not is_away(error):
                raise
            return PAUSE_SECONDS  # the service says that the store is away
        except MENDED as error:
            return self.wait_to_be_mended(name, error)

    def is_well(self, name: str) -> None:
        """What had to be mended is; it is said again when it breaks again."""
        self._told.pop(name, None)

    def wait_to_be_mended(self, name: str, error: Exception) -> float:
        """Say an error, once; return how long to pause."""
        if str(error) != self._told.get(name):
            self._told[name] = str(error)
            self._say(f"{error} (tried again every {AGAIN_SECONDS:.0f} s)")
        return AGAIN_SECONDS
