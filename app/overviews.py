"""Overviews of partitions, as the store has them: now and then with a commit, exact at its step.

An overview looks at all customers of a partition, so it is made as often as its cost allows: the dearer, the
rarer. One that was not due with its commit is made a little later, by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from engine.engine import Engine
from engine.overview import Overview, overview
from engine.plan import settings_hash

LEAST_SECONDS = 1.0
SHARE = 50  # an overview costs at most a fiftieth of the time


class StoredOverview(msgspec.Struct):
    """What the store has of a partition. step, clock: of the commit; settings: the hash of those in force."""

    step: int
    clock: int
    settings: str
    overview: Overview


class Overviews:
    """Makes one partition's overviews. engine, version: of the settings in force (canonical JSON), now."""

    def __init__(
        self, engine: Callable[[], Engine], version: Callable[[], str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._engine, self._version, self._now = engine, version, now
        self._due = 0.0
        self._last = ""
        self._owed = False

    @property
    def is_due(self) -> bool:
        """Whether a commit went without its overview, and it may be made now."""
        return self._owed and self._now() >= self._due

    def made(self) -> bytes | None:
        """Return the overview of the engine as it stands; None where it is not due."""
        begun, version = self._now(), self._version()
        self._owed = begun < self._due and version == self._last
        if self._owed:
            return None
        engine, self._last = self._engine(), version
        found = StoredOverview(engine.steps[0], engine.clock, settings_hash(version), overview(engine))
        raw = msgspec.json.encode(found)
        ended = self._now()
        self._due = ended + max(LEAST_SECONDS, SHARE * (ended - begun))
        return raw


def read(raw: bytes) -> StoredOverview:
    """Return what `Overviews.made` made bytes of."""
    return msgspec.json.decode(raw, type=StoredOverview)
