"""Moments as people write them, and minutes as the engine counts them.

A minute is a whole number: minutes since 1970-01-01 00:00 UTC (semantics T1).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from profiles.windows import parse_length

_OFFSET = re.compile(r"([+-])\s*(\d.*)")
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def parse_moment(text: str, start: int | None, zone: str) -> int:
    """Read a moment and return its minute.

    text: ``2026-03-01 09:00`` or ``2026-03-01`` in ``zone``, the same with an offset or ``Z``, or, where
    ``start`` is given, ``+10m`` from it. A local time that happens twice is the first one; one that is
    skipped is read with the offset before the change. Raises ValueError as ``what; what to do``.

    >>> parse_moment("1970-01-03 00:10", None, "UTC"), parse_moment("+2h", 100, "UTC")
    (2890, 220)
    """
    offset = _OFFSET.fullmatch(text.strip())
    if offset is not None:
        if start is None:
            raise ValueError(f"'{text}' has nothing to count from; write a time such as 2026-03-01 09:00")
        length = 0 if re.fullmatch(r"0\s*[mhdw]?", offset[2]) else parse_length(offset[2])
        return start + (length if offset[1] == "+" else -length)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"'{text}' is no time; write one such as 2026-03-01 09:00") from None
    if moment.tzinfo is None:
        try:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"'{zone}' is no time zone; correct the zone in tintype.toml") from None
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"'{text}' is outside 1970 to 2200; write another year")
    return int(moment.timestamp()) // 60


def write_moment(minute: int, zone: str) -> str:
    """Write a minute as local time of ``zone``.

    >>> write_moment(2890, "Asia/Shanghai")
    '1970-01-03 08:10'
    """
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
