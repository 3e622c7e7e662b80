"""Where calendar units and a customer's own years begin, in UTC minutes (semantics W5, T1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = -(2**62), 2**62  # stand for minus and plus infinity in event minutes


@lru_cache(maxsize=200_000)
def local_midnight(day: date, zone: str) -> int:
    """Return the UTC minute at which the local day ``day`` begins in ``zone``.

    Where local midnight happens twice it is the first, where it does not exist it is the first existing
    minute after it (semantics W5).

    >>> local_midnight(date(1970, 1, 2), "UTC")
    1440
    """
    place = ZoneInfo(zone)
    wall = datetime.combine(day, time(), place)  # fold=0: of two equal local times the first
    minute = _minute(wall)
    if local_time(minute, zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return minute
    # The clock jumps over midnight: the two folds bracket the jump, which is the first minute that exists.
    low, high = sorted((minute, _minute(wall.replace(fold=1))))
    after = local_time(high, zone).utcoffset()
    while low < high:
        middle = (low + high) // 2
        if local_time(middle, zone).utcoffset() == after:
            high = middle
        else:
            low = middle + 1
    return high


def local_time(minute: int, zone: str) -> datetime:
    """Return the wall-clock time of a UTC minute in ``zone``."""
    return (EPOCH + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))


@lru_cache(maxsize=200_000)
def local_date(minute: int, zone: str) -> date:
    """Return the local day that holds a UTC minute.

    A local midnight that happens twice begins its day at the first time, so the minutes that the clock
    repeats before the second one belong to the later day as well.
    """
    day = local_time(minute, zone).date()
    following = day + timedelta(days=1)
    return following if minute >= local_midnight(following, zone) else day


def unit_start(day: date, unit: str, back: int) -> date:
    """Return the first day of the ``back``-th calendar unit before the one that holds ``day``.

    ``unit`` is day, week (from Monday), month, quarter or year; ``back`` may be negative (units ahead).

    >>> unit_start(date(2011, 3, 31), "month", 1)
    datetime.date(2011, 2, 1)
    """
    if unit == "day":
        return day - timedelta(days=back)
    if unit == "week":
        return day - timedelta(days=day.weekday(), weeks=back)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    index = (day.year * 12 + day.month - 1) // months - back
    year, month = divmod(index * months, 12)
    return date(year, month + 1, 1)


def anniversary(born: date, year: int) -> date:
    """Return the anniversary of ``born`` in ``year``; that of 29 February is 1 March in other years.

    >>> anniversary(date(2012, 2, 29), 2013)
    datetime.date(2013, 3, 1)
    """
    if born.month == 2 and born.day == 29 and not _leap(year):
        return date(year, 3, 1)
    return date(year, born.month, born.day)


def own_year_start(day: date, born: date, back: int) -> date:
    """Return the first day of the ``back``-th own year of ``born`` before the one that holds ``day``."""
    year = day.year if anniversary(born, day.year) <= day else day.year - 1
    return anniversary(born, year - back)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _minute(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(minutes=1)
