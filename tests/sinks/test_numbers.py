"""One number, however it is written: whoever answers is known by it; and by no other number."""

from __future__ import annotations

import pytest

from sinks.channels.numbers import masked, spellings

OF_CHINA = [
    "13800001001", "8613800001001", "+8613800001001", "008613800001001", "138 0000 1001", "138-0000-1001",
    "+86 138 0000 1001", "+86-138-0000-1001", "+86 13800001001", "86 138-0000-1001", "0086 13800001001",
]  # fmt: skip
OF_ELSEWHERE = ["+85212345678", "85212345678", "0085212345678"]


@pytest.mark.parametrize("heard", OF_CHINA)
@pytest.mark.parametrize("kept", OF_CHINA)
def test_a_chinese_number_is_found_however_it_is_kept_and_told(kept: str, heard: str) -> None:
    assert kept in spellings(heard, ["86"])


@pytest.mark.parametrize("heard", OF_ELSEWHERE)
@pytest.mark.parametrize("kept", OF_ELSEWHERE)
def test_a_number_of_elsewhere_is_found_with_its_countrys_code(kept: str, heard: str) -> None:
    assert kept in spellings(heard, ["86"])


def test_a_number_is_not_taken_for_one_of_another_country() -> None:
    assert "+13800001001" not in spellings("13800001001", ["86"])
    assert "+8613800001001" not in spellings("+13800001001", ["86"])
    assert "12345678" not in spellings("+85212345678", ["86"])
    assert "2025550100" in spellings("+12025550100", ["1"])
    assert "+12025550100" in spellings("2025550100", ["1"])


def test_what_is_no_number_is_itself() -> None:
    assert spellings("o6_bmjrPTlm6_2sgVt7hMZOPfL2M", ["86"])[0] == "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
    assert spellings("", ["86"]) == [""]


@pytest.mark.parametrize("address", ["+8613800001001", "13800001001", "a.b@example.com"])
def test_a_line_for_people_does_not_say_the_number(address: str) -> None:
    assert "0000" not in masked(address)
    assert "example" not in masked(address)
