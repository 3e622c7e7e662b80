"""The quiet hours that stood against a decision: its message does not go in them either (semantics D5)."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import msgspec

from triggers.zones import offsets

_DAY = 1440
DROPPED = "its turn came in quiet hours"


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
        return _over_at(self, minute) if self.has(minute) else None

    def has(self, minute: int) -> bool:
        """Whether a minute is quiet."""
        at = self.local(minute)
        if self.first < self.end:
            return self.first <= at < self.end
        return at >= self.first or at < self.end

    def local(self, minute: int) -> int:
        """Return the minute of the local day."""
        starts, table = _table(self.zone)
        return (minute + table[bisect_right(starts, minute) - 1][1]) % _DAY

    def loud_from(self, at: float) -> float:
        """Return the first time from one on at which a message may go; that one itself where they drop. In
        seconds since 1970."""
        over = None if self.drop else self.over_at(int(at // 60))
        return at if over is None else over * 60.0


@lru_cache(maxsize=4096)  # many messages ask for one night
def _over_at(quiet: Quiet, minute: int) -> int:
    starts, over = _table(quiet.zone)[0], minute
    while quiet.has(over):
        following = bisect_right(starts, over)
        over += (quiet.end - quiet.local(over)) % _DAY
        if following < len(starts):  # clocks may be changed before
            over = min(over, starts[following])
    return over


@lru_cache(maxsize=64)
def _table(zone: str) -> tuple[list[int], tuple[tuple[int, int], ...]]:
    table = offsets(zone)
    return [start for start, _ in table], table


def written(quiet: Quiet | None) -> str:
    """Return quiet hours as the ledger keeps them with a delivery; empty where there are none."""
    return "" if quiet is None else msgspec.json.encode(quiet).decode()


@lru_cache(maxsize=1024)  # a shop has few of them, and each of its messages has one
def read(text: str) -> Quiet | None:
    """Return what `written` wrote."""
    return msgspec.json.decode(text, type=Quiet) if text else None
