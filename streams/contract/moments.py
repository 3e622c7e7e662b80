"""Times and dates: text in any declared form and zone to UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from streams.contract.numbers import ValueProblem, parse_number, quoted

MINUTE_US = 60_000_000
FIRST_YEAR, LAST_YEAR = 1900, 2199  # of dates: what the calendar of profiles/calendar.py spans
EARLIEST_US = 0  # 1970-01-01
LATEST_US = 7_258_118_400_000_000  # 2200-01-01, exclusive
_EPOCH_UTC = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_EPOCH_FORMS = {"epoch_s": 6, "epoch_ms": 3, "epoch_us": 0}

CLEAR, SKIPPED, DOUBLED = 0, 1, 2


@dataclass(frozen=True)
class Moment:
    """A point of time in UTC microseconds; ``oddity`` says what became of an unclear local time."""

    us: int
    oddity: int = CLEAR


def moment_reader(form: str | None, zone: ZoneInfo) -> Callable[[str], Moment]:
    """Return a function from text to Moment; it raises ValueProblem.

    form: a strptime form, ``epoch_s``, ``epoch_ms``, ``epoch_us``, or None for ISO 8601 (more than six
    digits of a second are cut). A time without a zone is local to ``zone``: one that occurs twice is the
    first of the two, one that does not exist is the first moment that does (semantics W5).
    """
    if form in _EPOCH_FORMS:
        scale = _EPOCH_FORMS[form]
        return lambda text: Moment(_epoch_us(text, scale))

    def read(text: str) -> Moment:
        stamp = _parse(text, form)
        if stamp.tzinfo is not None:
            return Moment((stamp - _EPOCH_UTC) // _MICROSECOND)
        return to_utc(stamp, zone)

    return read


def _epoch_us(text: str, scale: int) -> int:
    number = parse_number(text)
    # The limit of column values does not hold for microseconds: bring whole seconds to it by hand.
    whole, rest = divmod(
        number.digits * 10 ** max(scale - number.places, 0), 10 ** max(number.places - scale, 0)
    )
    if rest:
        raise ValueProblem(f"{quoted(text)} is finer than a microsecond", "cut it to microseconds")
    if not EARLIEST_US <= whole < LATEST_US:
        raise ValueProblem(f"{quoted(text)} lies outside 1970 to 2199", "check whether it counts s, ms or us")
    return int(whole)


def _parse(text: str, form: str | None) -> dt.datetime:
    try:
        if form:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - a time without a zone is local, see to_utc
        return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        expected = f"the form {form}" if form else "ISO 8601, such as 2026-01-31 08:05:00"
        raise ValueProblem(f"{quoted(text)} is no time", f"write {expected}, or declare its format") from None


def to_utc(local: dt.datetime, zone: ZoneInfo) -> Moment:
    """Return the UTC moment of a local time without a zone; see ``moment_reader`` for unclear ones."""
    early, late = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    first = (early - _EPOCH_UTC) // _MICROSECOND
    second = (late - _EPOCH_UTC) // _MICROSECOND
    if first == second:
        return Moment(first)
    if first < second:  # clocks went back: both exist
        return Moment(first, DOUBLED)
    return Moment(_transition(second, first, zone), SKIPPED)


def _transition(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first whole second in (low, high] with the offset that holds at ``high``."""

    def offset(second: int) -> dt.timedelta | None:
        return dt.datetime.fromtimestamp(second, zone).utcoffset()

    before, after = low // 1_000_000, -(-high // 1_000_000)
    target = offset(after)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if offset(middle) == target else (middle, after)
    return after * 1_000_000


def parse_date(text: str, form: str | None) -> dt.date:
    """Read a date; a time of day other than midnight is refused. Raises ValueProblem."""
    stamp = _parse(text, form)
    if stamp.time() != dt.time.min:
        hint = "declare the column as time, or cut it to the date"
        raise ValueProblem(f"{quoted(text)} has a time of day", hint)
    if not FIRST_YEAR <= stamp.year <= LAST_YEAR:
        raise ValueProblem(
            f"{quoted(text)} lies outside {FIRST_YEAR} to {LAST_YEAR}", "correct the date or its format"
        )
    return stamp.date()


def date_minute(date: dt.date, zone: ZoneInfo) -> int:
    """Return the epoch minute of the date's local midnight (the first minute that exists, semantics W5)."""
    return to_utc(dt.datetime.combine(date, dt.time.min), zone).us // MINUTE_US
