"""Calendar boundaries in the shop's zone, and a customer's own years (semantics W5).

`boundaries` is computed once for a plan, with the zone's rules; the kernel only looks them up.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from engine import state as s
from engine.jit import step

FIRST_YEAR, LAST_YEAR = 1900, 2202  # dates of birth to the last event time that a source may have
UNITS = ("day", "week", "month", "quarter", "year")
FIRST_DAY = date(FIRST_YEAR, 1, 1).toordinal() - date(1970, 1, 1).toordinal()


@lru_cache(maxsize=8)
def boundaries(zone: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (start minutes of every day, week, month, quarter and year in turn, first place of each unit).

    A day begins at local midnight; where that does not exist, at the first minute that does; where it
    happens twice, at the first.
    """
    days = _day_starts(zone)
    first = date(FIRST_YEAR, 1, 1)
    dates = [first + timedelta(days=i) for i in range(len(days))]
    picked = (
        [True] * len(days),
        [d.weekday() == 0 for d in dates],
        [d.day == 1 for d in dates],
        [d.day == 1 and d.month % 3 == 1 for d in dates],
        [d.day == 1 and d.month == 1 for d in dates],
    )
    units = [days[np.array(which)] for which in picked]
    places = np.cumsum([0] + [len(unit) for unit in units])
    return np.concatenate(units).astype(np.int32), places.astype(np.int32)


def _day_starts(zone: str) -> NDArray[np.int64]:
    """Return the UTC minute at which each local day begins, from 1 January of FIRST_YEAR."""
    where = ZoneInfo(zone)
    first = date(FIRST_YEAR, 1, 1)
    count = (date(LAST_YEAR, 1, 1) - first).days + 1
    starts = np.empty(count, dtype=np.int64)
    for i in range(count):
        day = first + timedelta(days=i)
        starts[i] = _first_minute(datetime(day.year, day.month, day.day, tzinfo=where))
    return starts


def _first_minute(midnight: datetime) -> int:
    """Return the UTC minute of a local midnight, or of the first minute after it that exists."""
    utc = midnight.astimezone(UTC)
    if utc.astimezone(midnight.tzinfo).replace(tzinfo=None) != midnight.replace(tzinfo=None):
        utc = _jump(midnight, utc)  # clocks jump over this midnight
    return int(utc.timestamp() // 60)


def _jump(midnight: datetime, guess: datetime) -> datetime:
    """Return the instant at which the local date first reaches midnight's, within a day around the guess."""
    zone = midnight.tzinfo
    low, high = guess - timedelta(hours=26), guess + timedelta(hours=26)
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=((high - low) // timedelta(minutes=1)) // 2)
        if middle.astimezone(zone).replace(tzinfo=None) >= midnight.replace(tzinfo=None):
            high = middle
        else:
            low = middle
    return high


@step
def civil_from_days(days: int) -> tuple[int, int, int]:
    """Return (year, month, day) of a day number since 1970-01-01 (H. Hinnant, chrono algorithms, 2013)."""
    z = days + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (1 if month <= 2 else 0), month, doy - (153 * mp + 2) // 5 + 1


@step
def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the day number since 1970-01-01; 29 February of a common year is 1 March (H. Hinnant)."""
    y = year - (1 if month <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@step
def day_of(st: int, minute: int) -> int:
    """Return the local day number (since 1970-01-01) that holds a UTC minute."""
    low, high = s.unit_first(st, 0), s.unit_first(st, 1)
    while high - low > 1:
        middle = (low + high) >> 1
        if s.calendar_start(st, middle) <= minute:
            low = middle
        else:
            high = middle
    return low - s.unit_first(st, 0) + FIRST_DAY


@step
def anniversary(st: int, year: int, month: int, day: int) -> int:
    """Return the minute at which a date's anniversary begins in ``year``; 29 February may be 1 March."""
    number = days_from_civil(year, month, day)
    return s.calendar_start(st, s.unit_first(st, 0) + number - FIRST_DAY)


@step
def own_bounds(st: int, anchor: int, back: int) -> tuple[int, int, int]:
    """Return (low, high, next anniversary) of the own year ``back`` years before the one at the clock."""
    _, month, day = civil_from_days(day_of(st, anchor))
    year, _, _ = civil_from_days(day_of(st, s.clock(st)))
    if anniversary(st, year, month, day) > s.clock(st):
        year -= 1
    low = anniversary(st, year - back, month, day)
    high = anniversary(st, year - back + 1, month, day)
    return low, high, anniversary(st, year + 1, month, day)
