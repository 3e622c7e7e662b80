"""Dates and times as connectors write them, to the text of ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from streams.cdc.fields import EPOCH_FORMATS, ZONE_HINT, Field
from streams.cdc.reading import shown
from streams.contract.numbers import ValueProblem

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local times without a zone, which the source declares
_FIRST_DAY = dt.date(1970, 1, 1)
_DAY_US = 86_400_000_000
_OFFSET = re.compile(r"(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2}){0,2})$")
_FROM_US = {"epoch_days": (_DAY_US, 1), "epoch_ms": (1000, 1), "epoch_us": (1, 1), "epoch_ns": (1, 1000)}
_OF_DAY = {"ms_of_day": (1000, 1), "us_of_day": (1, 1), "ns_of_day": (1, 1000)}
UNIT_HINT = (
    "declare wire (epoch_days, epoch_ms, epoch_us or epoch_ns) and zone, or format: epoch_ms for a UTC moment"
)


def local_text(value: Any, unit: str) -> str:
    """Return a whole number of ``unit`` since 1970, read as if in UTC, as a local time without zone.

    unit: ``epoch_days``, ``epoch_ms``, ``epoch_us``, ``epoch_ns`` (digits below a microsecond are cut, as
    in text times). Debezium writes DATETIME and TIMESTAMP WITHOUT TIME ZONE so. Raises ValueProblem.

    >>> local_text(1679581805123, "epoch_ms")
    '2023-03-23T14:30:05.123000'
    """
    times, parts = _FROM_US[unit]
    try:
        return (_EPOCH + dt.timedelta(microseconds=_whole(value) * times // parts)).isoformat()
    except OverflowError:
        raise ValueProblem(f"{shown(value)} {unit} lies outside the years 1 to 9999", "correct it") from None


def date_text(value: Any) -> str:
    """Return a whole number of days since 1970 as a date. Raises ValueProblem.

    >>> date_text(19439)
    '2023-03-23'
    """
    try:
        return (_FIRST_DAY + dt.timedelta(days=_whole(value))).isoformat()
    except OverflowError:
        raise ValueProblem(f"{shown(value)} days lie outside the years 1 to 9999", "correct it") from None


def time_of_day(value: Any, unit: str) -> str:
    """Return a whole number of ``unit`` since midnight as a time of day. Raises ValueProblem.

    MySQL's TIME also holds lengths: less than 0 and more than 24 hours are no time of day, and are
    written as such, ``-01:30:00`` or ``30:00:00``.

    >>> time_of_day(36803000000, "us_of_day")
    '10:13:23'
    """
    times, parts = _OF_DAY[unit]
    us = _whole(value) * times // parts
    sign, us = ("-", -us) if us < 0 else ("", us)
    seconds, fraction = divmod(us, 1_000_000)
    if seconds > 10**9:
        raise ValueProblem(f"{shown(value)} is no time of day", "correct it")
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:06}" if fraction else text


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueProblem(f"{shown(value)} is no whole number", "check wire, or the connector's converter")
    return value


def zone_is_declared(field: Field) -> bool:
    """Say whether every text of this time has a zone, by declaration or by its form."""
    return field.zoned or field.format in EPOCH_FORMATS or (field.format is not None and "%z" in field.format)


def check_zone(text: str, field: Field) -> str:
    """Return a time's text if it carries its zone, or the source declares it. Raises ValueProblem."""
    if zone_is_declared(field) or (field.format is None and _OFFSET.search(text, 10)):
        return text
    raise ValueProblem(f"{shown(text)} does not say its zone", ZONE_HINT)


def number_as_time(digits: str, field: Field) -> str:
    """Return a number's digits where the source declares its unit as a format. Raises ValueProblem."""
    if field.format in EPOCH_FORMATS:
        return digits
    what = "date" if field.kind == "date" else "time"
    raise ValueProblem(f"{shown(digits)} for a {what} does not say its unit", UNIT_HINT)
