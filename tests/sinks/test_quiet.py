"""Quiet hours of a delivery end where a clock on the wall says so, also when clocks are changed."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sinks.deliveries.quiet import Quiet

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def is_quiet(quiet: Quiet, minute: int) -> bool:
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(quiet.zone))
    at = local.hour * 60 + local.minute
    inside = quiet.first <= at < quiet.end
    return inside if quiet.first < quiet.end else at >= quiet.first or at < quiet.end


def first_loud(quiet: Quiet, minute: int) -> int | None:
    """Look at one minute after the other."""
    if not is_quiet(quiet, minute):
        return None
    while is_quiet(quiet, minute):
        minute += 1
    return minute


def changes(zone: str, year: int) -> list[int]:
    """Return the minutes of a year at which a zone's clocks are changed."""
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp() // 60)
    where, found, before = ZoneInfo(zone), list[int](), None
    for minute in range(begin, begin + 366 * 1440, 30):
        offset = datetime.fromtimestamp(minute * 60, UTC).astimezone(where).utcoffset()
        if before is not None and offset != before:
            found.append(minute)
        before = offset
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(zone: str) -> None:
    chance = random.Random(zone)
    near = changes(zone, 2026) or [29_540_000]
    asked = 0
    for _ in range(300):
        first, end = chance.sample(range(0, 1440, 15), 2)
        quiet = Quiet(first, end, zone)
        minute = chance.choice(near) + chance.randint(-1500, 1500)
        assert quiet.over_at(minute) == first_loud(quiet, minute), (quiet, minute)
        asked += quiet.over_at(minute) is not None
    assert asked > 50
