"""Values are read exactly or refused with a hint."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.moments import CLEAR, DOUBLED, SKIPPED, Moment, date_minute, moment_reader, parse_date
from streams.contract.numbers import Exact, ValueProblem, parse_number, plain, scaled
from streams.contract.source import Column
from streams.contract.values import column_reader, parse_bool

LONDON, UTC = ZoneInfo("Europe/London"), ZoneInfo("UTC")


def us(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "scale", "units"),
    [
        ("2.55", 2, 255), ("-1234.50", 2, -123450), ("2.550", 2, 255), ("17850.0", 0, 17850), (" 7 ", 2, 700),
        (".5", 1, 5), ("+3.", 0, 3), ("1e-5", 5, 1), ("1.5E3", 0, 1500), ("-0", 2, 0), ("0.001", 3, 1),
        ("10000000000000", 0, 10**13), ("0e999", 2, 0),
    ],
)  # fmt: skip
def test_decimals_are_scaled_exactly(text: str, scale: int, units: int) -> None:
    """M1: whole units of 10**-scale, extra zeros allowed."""
    assert scaled(parse_number(text), scale) == units


@pytest.mark.parametrize(
    ("text", "scale", "problem", "hint"),
    [
        ("2.555", 2, "2.555 has more than 2 decimals", "round it, or declare a scale of 3"),
        ("1.5", 0, "1.5 is not whole", "declare a scale of 1"),
        ("-1,234.50", 2, "is no number", "without thousands separators: -1234.50"),
        ("12,5", 2, "is no number", "decimal sign as a point: 12.5"),
        ("abc", 0, "'abc' is no number", "write digits"),
        ("", 0, "is no number", "write digits"),
        (".", 0, "is no number", "write digits"),
        ("1_000", 0, "is no number", "write digits"),
        ("１２", 0, "is no number", "write digits"),
        ("10000000000000.1", 1, "beyond the limit of 10\\^13", "check the number"),
        ("1e300", 2, "beyond the limit", "check the number"),
        ("9" * 5000, 0, "more than 60 digits", "check the column"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_hint(text: str, scale: int, problem: str, hint: str) -> None:
    """M1: nothing is rounded, |value| <= 10^13."""
    with pytest.raises(ValueProblem, match=problem) as caught:
        scaled(parse_number(text), scale)
    assert hint in caught.value.hint


@settings(max_examples=200, derandomize=True)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**8), max_value=10**8))
def test_any_decimal_survives_writing_and_reading(number: object) -> None:
    """M1: text to units loses nothing."""
    exact = parse_number(str(number))
    assert scaled(exact, 4) == int(number * 10**4)  # type: ignore[operator] # a Decimal
    assert scaled(parse_number(plain(exact)), 4) == scaled(exact, 4)


def test_products_are_exact_before_they_are_scaled() -> None:
    """M1: 0.1 x 0.1 is 0.01, not a float near it."""
    assert Exact(1, 1).times(Exact(1, 1)) == Exact(1, 2)
    assert scaled(parse_number("3").times(parse_number("2.555")), 3) == 7665
    with pytest.raises(ValueProblem, match=r"7\.665 has more than 2 decimals"):
        scaled(parse_number("3").times(parse_number("2.555")), 2)


@pytest.mark.parametrize(
    ("text", "form", "zone", "moment"),
    [
        ("2010-12-01 08:26:00", None, LONDON, Moment(us("2010-12-01 08:26:00"))),
        ("2011-07-01 08:26", None, LONDON, Moment(us("2011-07-01 07:26:00"))),
        ("2011-07-01T08:26:00+08:00", None, LONDON, Moment(us("2011-07-01 00:26:00"))),
        ("2011-07-01T08:26:00Z", None, LONDON, Moment(us("2011-07-01 08:26:00"))),
        ("2011-07-01 08:26:00.1234567", None, UTC, Moment(us("2011-07-01 08:26:00") + 123456)),
        ("01/12/2010 08:26", "%d/%m/%Y %H:%M", UTC, Moment(us("2010-12-01 08:26:00"))),
        ("1291191960", "epoch_s", LONDON, Moment(1291191960_000000)),
        ("1291191960.5", "epoch_s", LONDON, Moment(1291191960_500000)),
        ("1291191960123", "epoch_ms", LONDON, Moment(1291191960_123000)),
        ("1291191960123456", "epoch_us", LONDON, Moment(1291191960_123456)),
        # The hour 01:00-02:00 of 2011-03-27 does not exist in London: its first minute is 01:00 UTC.
        ("2011-03-27 01:30", None, LONDON, Moment(us("2011-03-27 01:00:00"), SKIPPED)),
        ("2011-03-27 02:00", None, LONDON, Moment(us("2011-03-27 01:00:00"), CLEAR)),
        # The hour 01:00-02:00 of 2011-10-30 occurs twice: the first is British Summer Time.
        ("2011-10-30 01:30", None, LONDON, Moment(us("2011-10-30 00:30:00"), DOUBLED)),
        ("2011-10-30 02:00", None, LONDON, Moment(us("2011-10-30 02:00:00"), CLEAR)),
    ],
)
def test_times_become_utc_and_unclear_local_times_are_marked(
    text: str, form: str | None, zone: ZoneInfo, moment: Moment
) -> None:
    """T1, W5: UTC microseconds; of a time that occurs twice the first, of a skipped one the first that is."""
    assert moment_reader(form, zone)(text) == moment


@pytest.mark.parametrize(
    ("text", "form"),
    [("yesterday", None), ("2010-13-01", None), ("1.12.2010", "%d/%m/%Y"), ("x", "epoch_s"), ("", None),
     ("-5", "epoch_s"), ("1291191960123456", "epoch_s"), ("1291191960.1234567", "epoch_s")],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str, form: str | None) -> None:
    with pytest.raises(ValueProblem):
        moment_reader(form, UTC)(text)


def test_a_date_is_its_local_midnight_or_the_first_minute_that_exists() -> None:
    """M1, W5: the examples of semantics W5 for Sao Paulo and Havana."""
    sao_paulo, havana = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/Havana")
    assert date_minute(dt.date(2018, 11, 4), sao_paulo) * 60_000_000 == us("2018-11-04 03:00:00")
    assert date_minute(dt.date(2025, 11, 2), havana) * 60_000_000 == us("2025-11-02 04:00:00")
    assert date_minute(dt.date(1955, 5, 5), UTC) < 0
    assert parse_date("2017-01-01 00:00:00.000", None) == dt.date(2017, 1, 1)
    with pytest.raises(ValueProblem, match="has a time of day"):
        parse_date("2017-01-01 08:00", None)


def test_truth_has_many_words_and_others_are_refused() -> None:
    assert [parse_bool(text) for text in ("true", "No", "1", "是", "F")] == [1, 0, 1, 1, 0]
    with pytest.raises(ValueProblem, match="'maybe' is neither true nor false"):
        parse_bool("maybe")


def test_limits_of_a_column_are_kept() -> None:
    read = column_reader(Column(type="decimal", scale=2, minimum=0, maximum=100_000), UTC)
    assert read("1000") == 100_000
    for text in ("-0.01", "1000.01"):
        with pytest.raises(ValueProblem):
            read(text)
    with pytest.raises(ValueProblem, match="3 is not allowed"):
        column_reader(Column(type="int", allowed=[1, 2]), UTC)("3")


def test_a_time_column_is_epoch_minutes() -> None:
    """M1: floor to the minute, in the column's own zone."""
    read = column_reader(Column(type="time", zone="Asia/Shanghai"), UTC)
    assert read("1970-01-01 08:01:59") == 1
