"""The quiet hours that stood against a decision whose message waits for its turn (semantics D5)."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import msgspec

from triggers.zones import offsets

_DAY = 1440


class Quiet(msgspec.Struct, frozen=True):
    """Local times [first, end) of a zone, in minutes of the day; over midnight where first is greater.

    drop: what falls into them is not sent at all.
    """

    first: int
    end: int
    zone: str
    drop: bool = False

    def over_at(self, minute: int) -> int | None:
        """Return the first minute that is not quiet; None where this one is not. Minutes since 1970, UTC.

        >>> night = Quiet(22 * 60, 8 * 60, "UTC")
        >>> [night.over_at(minute) for minute in (1319, 1320, 1919, 1920)]
        [None, 1920, 1920, None]
        """
        if not self._has(minute):
            return None
        over = minute + (self.end - self._local(minute)) % _DAY
        while self._has(over):  # clocks went back meanwhile
            over += 1
        while not self._has(over - 1):  # they went forward
            over -= 1
        return over

    def _has(self, minute: int) -> bool:
        at = self._local(minute)
        if self.first < self.end:
            return self.first <= at < self.end
        return at >= self.first or at < self.end

    def _local(self, minute: int) -> int:
        starts, table = _table(self.zone)
        return (minute + table[bisect_right(starts, minute) - 1][1]) % _DAY


@lru_cache(maxsize=64)
def _table(zone: str) -> tuple[list[int], tuple[tuple[int, int], ...]]:
    table = offsets(zone)
    return [start for start, _ in table], table
