"""Windows of the calendar and of the customer's own year, against edges worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.windows import parse_window
from reference.bounds import bounds, enters, leaves
from reference.calendar import anniversary, local_date, local_midnight, own_year_start


def minute(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


@pytest.mark.parametrize(
    ("window", "low", "high"),
    [
        ("10m", "2026-03-31 11:51", "2026-03-31 12:01"),
        ("30d offset 30d", "2026-01-30 12:01", "2026-03-01 12:01"),
        ("day", "2026-03-31", "2026-03-31 12:01"),
        ("day offset 1", "2026-03-30", "2026-03-31"),
        ("week", "2026-03-30", "2026-03-31 12:01"),
        ("month", "2026-03-01", "2026-03-31 12:01"),
        ("month offset 1", "2026-02-01", "2026-03-01"),
        ("quarter", "2026-01-01", "2026-03-31 12:01"),
        ("quarter offset 2", "2025-07-01", "2025-10-01"),
        ("year offset 1", "2025-01-01", "2026-01-01"),
        ("year from customer.joined", "2025-06-15", "2026-03-31 12:01"),
        ("year from customer.joined offset 1", "2024-06-15", "2025-06-15"),
    ],
)
def test_each_kind_of_window_holds_the_interval_that_the_law_names(window, low, high):
    """W5: the table of examples at 2026-03-31 12:00, joined on 2024-06-15."""
    found = bounds(parse_window(window), minute("2026-03-31 12:00"), "UTC", minute("2024-06-15"))
    assert found == (minute(low), minute(high))


def test_an_own_window_without_its_date_is_empty():
    """W5: while the attribute is null the window is empty."""
    low, high = bounds(parse_window("year from customer.joined"), 1000, "UTC", None)
    assert low >= high


def test_own_years_exist_before_the_date_itself():
    """W5: plain periodic years."""
    found = bounds(
        parse_window("year from customer.joined"), minute("2020-01-01"), "UTC", minute("2024-06-15")
    )
    assert found[0] == minute("2019-06-15")


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28 23:00"),
        ("Europe/Berlin", date(2026, 3, 30), "2026-03-29 22:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04 03:00"),  # midnight does not exist
        ("America/Havana", date(2025, 11, 2), "2025-11-02 04:00"),  # midnight happens twice
        ("America/St_Johns", date(2010, 11, 7), "2010-11-07 02:30"),  # 00:01 turns back to 23:01
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30 10:00"),  # the whole day does not exist
        ("Asia/Shanghai", date(2020, 2, 1), "2020-01-31 16:00"),
    ],
)
def test_a_day_begins_at_the_first_minute_of_it_that_exists(zone, day, begins):
    """W5: local midnight; where missing the first existing minute, where doubled the first."""
    assert local_midnight(day, zone) == minute(begins)


def test_the_minutes_before_a_second_midnight_belong_to_the_day_that_has_begun():
    """W5: in St John's the clock goes from 00:00 back to 23:01 of the day before."""
    begin = local_midnight(date(2010, 11, 7), "America/St_Johns")
    days = [local_date(begin + step, "America/St_Johns") for step in (-1, 0, 1, 30, 61)]
    assert days == [date(2010, 11, 6)] + [date(2010, 11, 7)] * 4


def test_the_anniversary_of_29_february_is_1_march_in_other_years():
    """W5."""
    born = date(2024, 2, 29)
    assert [anniversary(born, year) for year in (2025, 2028)] == [date(2025, 3, 1), date(2028, 2, 29)]
    assert own_year_start(date(2025, 2, 28), born, 0) == date(2024, 2, 29)
    assert own_year_start(date(2025, 3, 1), born, 0) == date(2025, 3, 1)


windows = st.sampled_from(
    ["7m", "3h offset 50m", "day", "day offset 2", "week", "month offset 1", "quarter", "year", "all",
     "year from customer.joined", "year from customer.joined offset 1"]
)  # fmt: skip
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "Asia/Kathmandu"])


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    windows, zones, st.integers(21_000_000, 21_600_000), st.integers(-5, 900_000), st.integers(0, 1_000_000)
)
def test_a_row_is_inside_exactly_from_its_enter_to_its_leave(text, zone, event, later, anchor):
    """W5: the two edges and the interval say the same at every minute."""
    window = parse_window(text)
    first, last = enters(window, event, zone, anchor), leaves(window, event, zone, anchor)
    for at in {event + later, first - 1, first, min(last, 10**9) - 1, min(last, 10**9)}:
        low, high = bounds(window, at, zone, anchor)
        assert (low <= event < high) == (first <= at < last)
