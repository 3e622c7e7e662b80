"""When a schedule falls due: local times of the shop's zone (semantics D1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from triggers.trigger import Schedule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def last_due(schedule: Schedule, zone: str, clock: int, last: int) -> int:
    """Return the last due minute in (clock, last], or 0: of several missed ones at most one is made up for.

    ``on`` names the dates, where it names any; else ``days`` the days of the week, else it is every day.
    A local time that is skipped falls due at the next valid minute, one that happens twice once, the first
    time. Minutes are UTC minutes since 1970.
    """
    where = ZoneInfo(zone)
    hour, minute = (int(part) for part in schedule.at.split(":"))
    day = datetime.fromtimestamp(last * 60, UTC).astimezone(where).date() + timedelta(days=1)
    for _ in range((last - clock) // 1440 + 9):
        if _falls_on(schedule, day):
            due = _minute_of(datetime.combine(day, time(hour, minute), where))
            if clock < due <= last:
                return due
        day -= timedelta(days=1)
    return 0


def dues_of(schedule: Schedule, zone: str) -> list[int]:
    """Return the minutes at which a schedule that names dates falls due, in order.

    >>> dues_of(Schedule(at="10:00", on=["1970-01-03", "1970-01-02"]), "UTC")
    [2040, 3480]
    """
    hour, minute = (int(part) for part in schedule.at.split(":"))
    where, days = ZoneInfo(zone), map(date.fromisoformat, schedule.on)
    return sorted({_minute_of(datetime.combine(day, time(hour, minute), where)) for day in days})


def _falls_on(schedule: Schedule, day: date) -> bool:
    if schedule.on:
        return day.isoformat() in schedule.on
    return not schedule.days or WEEKDAYS[day.weekday()] in schedule.days


def _minute_of(local: datetime) -> int:
    """Return the UTC minute of a local time; of a skipped one, the first minute after the gap."""
    utc = local.astimezone(UTC)
    if utc.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return int(utc.timestamp() // 60)
    minute = utc - timedelta(hours=3)
    while minute.astimezone(local.tzinfo).replace(tzinfo=None) < local.replace(tzinfo=None):
        minute += timedelta(minutes=1)
    return int(minute.timestamp() // 60)
