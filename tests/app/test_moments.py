"""Moments of people become minutes (T1), and bad ones say what to write."""

from __future__ import annotations

import pytest

from app.moments import parse_moment, write_moment


@pytest.mark.parametrize(
    ("text", "start", "zone", "minute"),
    [
        ("1970-01-03 08:10", None, "Asia/Shanghai", 2890),
        ("1970-01-03T00:10Z", None, "Asia/Shanghai", 2890),
        ("1970-01-03 01:10+01:00", None, "Asia/Shanghai", 2890),
        ("1970-01-03", None, "UTC", 2880),
        ("+1w", 5, "UTC", 10085),
        ("+0m", 5, "UTC", 5),
        ("-2h", 500, "UTC", 380),
        # twice on the night of the change back: the first one is meant
        ("2026-10-25 01:30", None, "Europe/London", parse_moment("2026-10-25T00:30Z", None, "UTC")),
        # skipped on the night of the change: read with the offset before it
        ("2026-03-29 01:30", None, "Europe/London", parse_moment("2026-03-29T01:30Z", None, "UTC")),
    ],
)
def test_a_moment_is_read_as_its_minute(text: str, start: int | None, zone: str, minute: int) -> None:
    """T1"""
    assert parse_moment(text, start, zone) == minute


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tomorrow", "'tomorrow' is no time; write one such as 2026-03-01 09:00"),
        ("+5m", "'\\+5m' has nothing to count from; write a time such as 2026-03-01 09:00"),
        ("1950-01-01", "'1950-01-01' is outside 1970 to 2200; write another year"),
    ],
)
def test_a_bad_moment_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_moment(text, None, "UTC")


def test_a_minute_is_written_as_local_time() -> None:
    assert write_moment(2890, "Europe/London") == "1970-01-03 01:10"  # British Standard Time, all year
