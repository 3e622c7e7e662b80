"""Moments of ISO 8601 in UTC: ``2026-01-31T08:05:00.123456Z``."""

from __future__ import annotations

from typing import Any

from streams.scan.jit import inlined
from streams.scan.values import NINE, NO_NUMBER, POINT, ZERO
from streams.scan.words import byte

_SHORTEST = 20  # 2026-01-31T08:05:00Z
_LONGEST = 30  # with nine digits of the second
_DASH, _COLON, _T, _SPACE, _Z = 0x2D, 0x3A, 0x54, 0x20, 0x5A
FIRST_YEAR, LAST_YEAR = 1970, 2199


@inlined
def _two(text: Any, at: int) -> int:
    """Return the number of two digits, -10000 or less if one is none."""
    high, low = byte(text, at), byte(text, at + 1)
    if high < ZERO or high > NINE or low < ZERO or low > NINE:
        return -10_000
    number: int = high * 10 + low - 11 * ZERO
    return number


@inlined
def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date (Hinnant, chrono-compatible low-level date algorithms)."""
    shifted = year - (1 if month <= 2 else 0)
    of_era = shifted % 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return shifted // 400 * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@inlined
def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@inlined
def moment_us(text: Any, at: int, end: int) -> int:
    """Return the UTC microseconds of text[at : end], digits below cut; ``NO_NUMBER`` for other forms."""
    size = end - at
    if size < _SHORTEST or size > _LONGEST or byte(text, end - 1) != _Z:
        return NO_NUMBER
    dashes = byte(text, at + 4) == _DASH and byte(text, at + 7) == _DASH
    colons = byte(text, at + 13) == _COLON and byte(text, at + 16) == _COLON
    if not (dashes and colons and byte(text, at + 10) in (_T, _SPACE)):
        return NO_NUMBER
    year = _two(text, at) * 100 + _two(text, at + 2)
    month, day = _two(text, at + 5), _two(text, at + 8)
    hour, minute, second = _two(text, at + 11), _two(text, at + 14), _two(text, at + 17)
    if (year < FIRST_YEAR or year > LAST_YEAR or month < 1 or month > 12 or day < 1
            or day > _month_days(year, month)):  # fmt: skip
        return NO_NUMBER
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return NO_NUMBER
    micro, digits = 0, 0
    if size > _SHORTEST:
        if byte(text, at + 19) != POINT or size == _SHORTEST + 1:
            return NO_NUMBER
        for place in range(at + 20, end - 1):
            if byte(text, place) < ZERO or byte(text, place) > NINE:
                return NO_NUMBER
            if digits < 6:
                micro = micro * 10 + (byte(text, place) - ZERO)
                digits += 1
        for _ in range(6 - digits):
            micro *= 10
    seconds = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    return seconds * 1_000_000 + micro
