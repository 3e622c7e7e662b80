"""A circuit breaker: a provider that fails is left alone, and tried with one message."""

from __future__ import annotations

import random
from itertools import product

import pytest

from sinks.deliveries.breaker import (
    CHANGES,
    PROBE_MOST,
    STOP_SECONDS,
    THRESHOLD,
    Breaker,
    Sign,
    Stand,
    back_off,
)  # fmt: skip


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(random.Random(1))


def test_every_sign_that_can_come_has_its_line() -> None:
    missing = set(product(Stand, Sign)) - set(CHANGES)
    assert missing == {(Stand.CLOSED, Sign.PROBE), (Stand.HALF_OPEN, Sign.PROBE)}


def test_it_opens_after_so_many_failures_in_a_row_and_not_before(breaker: Breaker) -> None:
    for _ in range(THRESHOLD - 1):
        breaker.failed(0, "busy")
    breaker.passed()
    for number in range(THRESHOLD):
        assert breaker.may(0, 100) == 100, number
        breaker.failed(0, "busy")
    assert breaker.may(0, 100) == 0
    assert breaker.reason == "busy"


def test_one_message_tries_and_its_end_decides(breaker: Breaker) -> None:
    breaker.failed(0, "gone", at_once=True)
    assert breaker.may(breaker.until - 0.01, 100) == 0
    assert breaker.may(breaker.until, 100) == 1
    breaker.probe()
    assert breaker.may(breaker.until, 100) == 0
    breaker.failed(breaker.until, "gone")
    assert breaker.stand is Stand.OPEN
    breaker.probe()
    breaker.passed()
    assert breaker.may(0, 100) == 100


def test_it_waits_longer_each_time_up_to_a_bound(breaker: Breaker) -> None:
    now, waits = 0.0, []
    breaker.failed(now, "gone", at_once=True)
    for _ in range(20):
        waits.append(breaker.until - now)
        now = breaker.until
        breaker.probe()
        breaker.failed(now, "gone")
    assert all(1.0 * 2**n <= wait <= 2.0 * 2**n for n, wait in enumerate(waits[:5]))
    assert all(PROBE_MOST / 2 <= wait <= PROBE_MOST for wait in waits[6:])


def test_a_provider_that_wants_somebody_is_left_alone_for_longer(breaker: Breaker) -> None:
    breaker.stopped(100, "no balance")
    assert breaker.stand is Stand.OPEN
    assert breaker.until >= 100 + STOP_SECONDS / 2
    until = breaker.until
    breaker.failed(101, "one that was on its way")
    breaker.passed()
    assert (breaker.stand, breaker.until) == (Stand.OPEN, until)


def test_back_off_has_full_jitter_and_a_bound() -> None:
    chance = random.Random(7)
    for attempt, most in ((1, 1.0), (2, 2.0), (5, 16.0), (50, 60.0)):
        waits = [back_off(attempt, 1.0, 60.0, chance) for _ in range(2000)]
        assert 0 <= min(waits) < 0.05 * most
        assert 0.95 * most < max(waits) <= most
    assert back_off(3, 1, 60, random.Random(3)) == back_off(3, 1, 60, random.Random(3))
