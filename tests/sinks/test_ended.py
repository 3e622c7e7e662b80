"""What the log is told of deliveries that have come to an end: each once, and what arrived is believed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from sinks.channels.outcome import Accepted
from sinks.channels.provider import Receipt
from sinks.deliveries.delivery import Step
from sinks.deliveries.ended import ended, told
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.records import Received
from tests.sinks.dispatching import START, queue

LANE = "sms/far"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Three deliveries that a provider has taken."""
    with contextlib.closing(Ledger(tmp_path)) as found:
        queue(found, range(3))
        found.write([Step(one, Event.CLAIM, START, LANE) for one in (1, 2, 3)])
        found.write([Step(one, Event.ACCEPT, START, outcome=Accepted(f"r{one}", 1)) for one in (1, 2, 3)])
        yield found


def receive(ledger: Ledger, **states: Literal["delivered", "failed"]) -> None:
    ledger.do(Received(LANE, [Receipt(name, state) for name, state in states.items()], START + 1))


def untold(ledger: Ledger) -> list[tuple[int, str]]:
    return [(one.number, one.state) for one in ended(ledger, 9)]


def test_what_came_to_nothing_is_told_first_and_each_once(ledger: Ledger) -> None:
    receive(ledger, r1="delivered", r2="failed", r3="delivered")
    assert untold(ledger) == [(2, "failed"), (1, "delivered"), (3, "delivered")]
    assert [one.number for one in ended(ledger, 2)] == [2, 1]
    ledger.do(*told(ended(ledger, 2)))
    assert untold(ledger) == [(3, "delivered")]
    receive(ledger, r1="delivered", r2="failed")
    assert untold(ledger) == [(3, "delivered")], "known already"
    ledger.do(*told(ended(ledger, 9)))
    assert untold(ledger) == []


def test_one_that_arrives_after_all_gives_no_slot_back(ledger: Ledger) -> None:
    receive(ledger, r1="failed")
    receive(ledger, r1="delivered")
    assert untold(ledger) == [(1, "delivered")]


def test_a_replay_that_comes_to_nothing_is_not_told(ledger: Ledger) -> None:
    """The message was there before; one whose receipt says that it failed was not."""
    receive(ledger, r1="delivered", r2="failed")
    ledger.do(*told(ended(ledger, 9)))
    again = {1: Event.REPLAY, 2: Event.RESEND, 3: Event.REPLAY}
    for number, event in again.items():
        ledger.act_by_hand(f"{number - 1:032x}", event, "asked", START + 2)
        ledger.write([Step(number, Event.CLAIM, START + 3, LANE), Step(number, Event.GIVE_UP, START + 3)])
    assert untold(ledger) == [(2, "failed")]
