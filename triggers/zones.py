"""When a zone's local time is how far from UTC: tables that the kernel looks up (semantics D5, T1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2202, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def offsets(zone: str) -> tuple[tuple[int, int], ...]:
    """Return (UTC minute since 1970 from which it holds, local minus UTC in minutes), ascending.

    An offset that is no whole minute (before 1972) is rounded down.

    >>> offsets("Asia/Shanghai")[0], offsets("UTC")
    ((0, 480), ((0, 0),))
    """
    where = ZoneInfo(zone)
    at, found = FIRST, [(0, _offset(FIRST, where))]
    while at < LAST:
        following = at + DAY
        if _offset(following, where) != found[-1][1]:
            low, high = at, following
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=((high - low) // timedelta(minutes=1)) // 2)
                low, high = (middle, high) if _offset(middle, where) == found[-1][1] else (low, middle)
            found.append((int(high.timestamp()) // 60, _offset(high, where)))
            at = high
        else:
            at = following
    return tuple(found)


def _offset(at: datetime, where: ZoneInfo) -> int:
    shift = at.astimezone(where).utcoffset()
    assert shift is not None
    return int(shift.total_seconds()) // 60
