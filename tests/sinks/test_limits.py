"""Rolling limits: never more than declared in any stretch, and no less than there is room for."""

from __future__ import annotations

import copy
import random
from bisect import bisect_right

import pytest

from sinks.channels.settings import ChannelLimit, Limit
from sinks.deliveries.limits import Limits, Window


def most_in_any_stretch(times: list[float], seconds: float) -> int:
    """Return the largest number of times in a half-open stretch, by looking at all of them."""
    return max(bisect_right(times, at) - bisect_right([one + seconds for one in times], at) for at in times)


@pytest.mark.parametrize("seed", range(30))
def test_no_stretch_has_more_than_the_limit_and_none_is_refused_without_need(seed: int) -> None:
    chance = random.Random(seed)
    most, seconds = chance.randint(1, 8), chance.randint(1, 5)
    limits = Limits([Limit(most=most, within=f"{seconds}s")])
    now, taken = 1_000.0, list[float]()
    for _ in range(400):
        now += chance.choice([0.0, 0.0, 0.1, 0.7, 3.0])
        in_window = sum(at + seconds > now for at in taken)
        assert limits.room(now, 100) == most - in_window
        if limits.admit("", "", now) is None:
            assert in_window < most
            taken.append(now)
        else:
            assert in_window == most
            assert limits.free_at(now) == min(at for at in taken if at + seconds > now) + seconds
    assert most_in_any_stretch(taken, seconds) == most


def test_each_template_and_each_address_has_a_window_of_its_own() -> None:
    limits = Limits([Limit(most=1, within="1d", each="address"), Limit(most=2, within="1d", each="template")])
    assert limits.admit("a", "x", 0) is None
    assert limits.admit("b", "x", 1) is not None
    assert limits.admit("a", "y", 1) is None
    assert limits.admit("a", "z", 1) is not None
    assert limits.admit("b", "z", 1) is None


def test_a_template_and_an_address_together_have_a_window_of_their_own() -> None:
    limits = Limits([Limit(most=1, within="1d", each="template+address")])
    assert [limits.admit(*one, 0) for one in (("a", "x"), ("a", "y"), ("b", "x"))] == [None] * 3
    assert [limits.admit(*one, 1) for one in (("a", "x"), ("b", "x"))] == [86_400.0] * 2


def test_what_a_channel_may_send_is_counted_over_its_providers() -> None:
    channel = Limits([ChannelLimit(most=3, within="1m"), ChannelLimit(most=1, within="1d", each="address")])
    first, second = Limits([Limit(most=2, within="1m")], channel), Limits([], channel)
    assert first.admit("", "x", 0) is None
    assert second.admit("", "x", 1) == 86_400.0  # refused: not counted by anything
    assert [one.room(1, 9) for one in (first, second)] == [1, 2]
    assert first.admit("", "y", 1) is None
    assert (first.room(2, 9), first.free_at(2)) == (0, 60)
    assert second.admit("", "z", 2) is None
    assert (second.room(3, 9), second.free_at(3)) == (0, 60)


def test_what_a_provider_refuses_is_not_counted_by_its_channel() -> None:
    channel = Limits([ChannelLimit(most=2, within="1m")])
    first = Limits([Limit(most=1, within="1m")], channel)
    assert first.admit("", "x", 0) is None
    assert first.admit("", "x", 0) is not None
    assert channel.room(0, 9) == 1


def test_what_one_limit_refuses_is_not_counted_by_another() -> None:
    limits = Limits([Limit(most=2, within="1m"), Limit(most=1, within="1d", each="address")])
    assert limits.admit("", "x", 0) is None
    assert limits.admit("", "x", 0) is not None
    assert limits.room(0, 10) == 1


def test_after_a_restart_the_limits_are_what_they_were() -> None:
    declared = [Limit(most=5, within="1h"), Limit(most=1, within="10m", each="address")]
    before, now, sent = Limits(declared), 0.0, list[tuple[float, str, str]]()
    chance = random.Random(1)
    for _ in range(200):
        now += chance.uniform(0, 400)
        address = chance.choice("abcdefg")
        if before.admit("t", address, now) is None:
            sent.append((now, "t", address))
        after = Limits(declared)
        after.fill(one for one in sent if one[0] > now - after.longest)
        assert after.room(now, 9) == before.room(now, 9)
        for each in "abcdefg":
            held, filled = (copy.deepcopy(one).admit("t", each, now) for one in (before, after))
            assert (held is None) == (filled is None)


def test_those_who_wait_come_back_at_the_rate_of_the_limit() -> None:
    """Not all at once, to be put off again: a long queue behind a small limit is written once."""
    limits = Limits([Limit(most=10, within="10s", each="template")])
    assert [limits.admit("t", "", 0) for _ in range(10)] == [None] * 10
    again = [limits.admit("t", "", 0) for _ in range(30)]
    assert again == [10.0 + number for number in range(30)]
    put_off = sum(limits.admit("t", "", at) is not None for at in again if at is not None)
    assert put_off == 0


def test_memory_is_bounded_by_those_written_to_lately() -> None:
    limits = Limits([Limit(most=1, within="1s", each="address")])
    for number in range(50_000):
        limits.admit("", f"customer {number}", number / 100)
    assert limits.keys <= 2048


def test_a_clock_that_is_set_back_lets_nothing_more_through() -> None:
    window = Window(2, 60)
    window.take(1000.0)
    window.take(500.0)
    assert window.room(1001.0, 9) == 0
    assert window.free_at(501.0) == 1060.0
