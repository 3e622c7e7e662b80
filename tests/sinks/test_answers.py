"""Answers in the ledger: whose they are, to which message, once, and what of them the log is to be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.channels.outcome import Accepted, Refused
from sinks.channels.provider import Receipt
from sinks.deliveries.answers import has_opted_out, of_nobody, untold
from sinks.deliveries.delivery import Step
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.records import AnswersTold, Received, decoded, encoded
from tests.sinks.dispatching import START, Clock, Fake, decided, dispatcher_of, queue, route

LANE = "sms/0"
ONE, TWO, OTHER = f"{1:032x}", f"{2:032x}", "cd" * 16


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Messages 1 and 2 went out to customers of these numbers."""
    made = Ledger(tmp_path)
    send(made, [1, 2], START)
    yield made
    made.close()


def send(ledger: Ledger, numbers: list[int], at: float) -> None:
    queue(ledger, numbers)
    found = {one.decision.id: one.number for one in ledger.waiting("sms", [0], at, 99)}
    for number in numbers:
        ledger.write([Step(found[f"{number:032x}"], Event.CLAIM, at, LANE)])
        accepted = Accepted(f"r{number}")
        ledger.write([Step(found[f"{number:032x}"], Event.ACCEPT, at, outcome=accepted)])


def given(state: str, reference: str | None = None, at: float | None = None) -> Receipt:
    return Receipt(reference, state, at, address="13800001001", text="TD")  # type: ignore[arg-type]  # a state


def kept(ledger: Ledger) -> list[tuple[str, bool, int | None]]:
    """Return (customer, opts out, number of the message) of what the log is to be told."""
    return [
        (one.customer, one.opts_out, None if one.decision is None else int(one.decision.id, 16))
        for one in untold(ledger, 99)
    ]


def test_an_opt_out_is_of_whoever_has_the_number_and_of_whom_the_message_went_to(ledger: Ledger) -> None:
    assert ledger.receive(LANE, [given("unsubscribed", "r1")], START, [[OTHER, TWO]]) == [ONE]
    assert kept(ledger) == [(ONE, True, 1), (TWO, True, 2), (OTHER, True, None)]
    assert [has_opted_out(ledger, one, "sms") for one in (ONE, TWO, OTHER, "ef" * 16)] == [True] * 3 + [False]
    assert not has_opted_out(ledger, ONE, "mail")


def test_a_reply_is_to_the_last_message_that_the_channel_has_sent(ledger: Ledger) -> None:
    ledger.take("channels", [(decided(one, customer=ONE), route()) for one in (3, 4)], {0: 5})
    ledger.take("channels", [(decided(5, customer=ONE), route(channel="mail"))], {0: 6})
    for number, outcome in ((3, Accepted("r3")), (4, Refused("retry", "", "busy"))):
        event = Event.ACCEPT if number == 3 else Event.REFUSE
        ledger.write([Step(number, Event.CLAIM, START, LANE)])
        ledger.write([Step(number, event, START, outcome=outcome, due=START)])
    ledger.receive(LANE, [given("replied")], START, [[ONE]])
    assert kept(ledger) == [(ONE, False, 3)], "4 was refused, 5 is another channel's"


def test_a_reply_to_a_number_of_several_is_the_ones_who_was_written_to_last(ledger: Ledger) -> None:
    replies = [given("replied"), given("replied", "r1", START + 1)]
    ledger.receive(LANE, replies, START, [[ONE, TWO, OTHER]] * 2)
    assert kept(ledger) == [(TWO, False, 2), (ONE, False, 1)]


def test_what_answers_no_message_tells_the_log_of_consent_alone(ledger: Ledger) -> None:
    """Behind seven days."""
    week = 7 * 86400
    ledger.receive(LANE, [given("replied"), given("unsubscribed")], START + week, [[ONE], [ONE]])
    ledger.receive(LANE, [given("replied")], START + week - 1, [[ONE]])
    assert kept(ledger) == [(ONE, True, None), (ONE, False, 1)]
    assert ledger.rows("SELECT opts_out, number FROM answer ORDER BY id") == [(0, None), (1, None), (0, 1)]


def test_what_comes_again_counts_once_and_what_the_log_knows_is_not_told_again(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.receive(LANE, [given("unsubscribed", at=START - 9)], START, [[ONE]])
    [one] = untold(ledger, 99)
    ledger.do(AnswersTold([one.id]))
    assert not has_opted_out(ledger, ONE, "sms")
    ledger.receive(LANE, [given("unsubscribed", at=START - 9)], START, [[ONE]])
    assert kept(ledger) == []
    ledger.receive(LANE, [given("unsubscribed", at=START + 9)], START, [[ONE]])
    assert kept(ledger) == [(ONE, True, 1)]


def test_a_record_of_a_former_release_tells_the_log_nothing_again(ledger: Ledger) -> None:
    receipts = '[{"reference":"r1","state":"unsubscribed"}]'
    former = f'[{{"type":"received","provider":"{LANE}","receipts":{receipts},"at":9}}]'
    ledger.do(*decoded(former.encode()))
    assert kept(ledger) == []
    ledger.do(*decoded(encoded([Received(LANE, [given("unsubscribed", "r1")], START, [[]])])))
    assert kept(ledger) == [(ONE, True, 1)]


@pytest.mark.parametrize(("state", "lines"), [("unsubscribed", 1), ("replied", 0), ("delivered", 0)])
def test_an_opt_out_of_nobody_is_said_without_the_number(ledger: Ledger, state: str, lines: int) -> None:
    said: list[str] = []
    found = dispatcher_of(ledger, {"sms": [Fake()]}, Clock(), say=said.append)
    found.receive(LANE, [given(state, "nobody's")])
    assert len(said) == lines
    assert not any("13800001001" in one or "0000" in one for one in said)
    assert of_nobody(ledger) == {"replied": int(state == "replied"), "unsubscribed": lines}
    assert kept(ledger) == []


def test_whoever_waits_for_answers_hears_when_they_are_on_disk(ledger: Ledger) -> None:
    asked: list[tuple[str, str]] = []
    heard: list[int] = []

    def behind(channel: str, address: str) -> list[str]:
        asked.append((channel, address))
        return [ONE]

    around = dispatcher_of(ledger, {}, Clock())._around
    found = Dispatcher(around, {}, behind, lambda: heard.append(len(kept(ledger))))
    found.receive(LANE, [given("delivered", "r1")])
    assert (asked, heard) == ([], [])
    found.receive(LANE, [given("unsubscribed")])
    assert (asked, heard) == ([("sms", "13800001001")], [1])
