"""The ledger of deliveries: each decision once, claimed on disk before it is sent (P5)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.courier_relay import NAME, CourierRelay, decisions_of
from app.load import load_shop
from engine.outcome import Decision, Transition
from sinks.channels.courier import Courier
from sinks.channels.message import Message
from sinks.channels.provider import Accepted, Outcome, Unknown
from sinks.deliveries.ledger import CLAIMED, HELD_BACK, NOTHING, SENT, Ledger
from sinks.store.store import Page
from tests.sinks.test_channels import SHOP, decision

ACT = replace(decision(), id="1" * 32, seq=0)
REFUSED = replace(decision(), id="2" * 32, outcome="refused", guard="consent", seq=1)
LATER = replace(decision(), id="3" * 32, customer="f" * 32, seq=3)
MOVED = Transition(0, 1, 2, "a" * 32, "vip", "enter", "live", seq=2)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def page(*effects: Decision | Transition) -> Page:
    made = sum(isinstance(one, Decision) for one in effects)
    return Page(effects[0].seq, effects[-1].seq, made, msgspec.json.encode(effects))


def test_a_decision_is_claimed_once_and_only_to_act(ledger: Ledger) -> None:
    assert ledger.take(NAME, 0, [ACT, REFUSED], 2) == [ACT]
    assert ledger.take(NAME, 0, [ACT, REFUSED], 2) == []
    assert ledger.take(NAME, 0, [replace(LATER, status="shadow")], 4) == []
    assert [entry.state for entry in ledger.after(0, 10)] == [CLAIMED, NOTHING, NOTHING]
    assert ledger.drained(NAME, 2) == [4, 0]
    assert ledger.unknown() == 1


def test_what_is_read_behind_a_cursor_comes_once_and_in_order(ledger: Ledger) -> None:
    ledger.take(NAME, 0, [ACT, REFUSED, LATER], 4)
    first = ledger.after(0, 2)
    assert [entry.decision for entry in first] == [ACT, REFUSED]
    assert [entry.decision for entry in ledger.after(first[-1].number, 10)] == [LATER]
    assert ledger.after(99, 10) == []
    assert [entry.decision for entry in ledger.after(0, 10, LATER.customer)] == [LATER]


def test_a_claim_is_settled_once(ledger: Ledger) -> None:
    ledger.take(NAME, 0, [ACT], 1)
    ledger.settle(ACT.id, SENT)
    ledger.settle(ACT.id, HELD_BACK, "too late")
    assert [(entry.state, entry.detail) for entry in ledger.after(0, 10)] == [(SENT, None)]
    assert ledger.unknown() == 0


def test_a_failure_in_between_claims_nothing(ledger: Ledger) -> None:
    broken = replace(LATER, outcome=object())  # type: ignore[arg-type]  # nothing a table can hold
    with pytest.raises(TypeError):
        ledger.take(NAME, 0, [ACT, broken], 4)
    assert ledger.after(0, 10) == []
    assert ledger.drained(NAME, 1) == [0]
    assert ledger.take(NAME, 0, [ACT], 1) == [ACT]


def test_decisions_are_found_among_the_effects_of_a_page() -> None:
    assert decisions_of(page(ACT, REFUSED, MOVED, LATER)) == [ACT, REFUSED, LATER]


class Outbox:
    """Some pages, as `Store.pages` gives them."""

    def __init__(self, *pages: Page) -> None:
        self.held = pages

    def pages(self, partition: int, after: int, limit: int) -> list[Page]:
        return [one for one in self.held if one.last >= after][:limit]


class Line:
    """A channel that fails at its first message, if told so."""

    def __init__(self, fails: bool = False) -> None:
        self.sent: list[Message] = []
        self.fails = fails

    async def open(self) -> None: ...

    async def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        if self.fails:
            return [Unknown("the connection broke") for _ in messages]
        self.sent += messages
        return [Accepted() for _ in messages]

    async def close(self) -> None: ...


Make = Callable[[Outbox, Ledger, Line], CourierRelay]


@pytest.fixture
def relay() -> Iterator[Make]:
    with contextlib.ExitStack() as stack:

        def make(outbox: Outbox, ledger: Ledger, line: Line) -> CourierRelay:
            shop = load_shop(SHOP)
            courier = Courier(shop, dict.fromkeys(shop.channels, line), lambda customer: customer)
            stack.callback(courier.close)
            return CourierRelay(outbox, ledger, courier, 1)  # type: ignore[arg-type]  # all that it asks

        yield make


def test_a_page_is_carried_out_once_also_by_the_next_process(ledger: Ledger, relay: Make) -> None:
    line, outbox = Line(), Outbox(page(ACT, REFUSED, MOVED), page(LATER))
    first = relay(outbox, ledger, line)
    assert [one.decision for one in first.step()] == [ACT, LATER]
    assert first.step() == []
    assert relay(outbox, ledger, line).step() == []
    assert [message.id for message in line.sent] == [ACT.id, LATER.id]


def test_a_page_that_goes_on_with_known_effects_gives_the_new_ones(ledger: Ledger, relay: Make) -> None:
    line = Line()
    relay(Outbox(page(ACT, REFUSED)), ledger, line).step()
    relay(Outbox(page(REFUSED, MOVED, LATER)), ledger, line).step()
    assert [message.id for message in line.sent] == [ACT.id, LATER.id]
    assert len(ledger.after(0, 10)) == 3


def test_a_message_that_was_claimed_and_perhaps_sent_is_not_sent_again(ledger: Ledger, relay: Make) -> None:
    """Marketing at most once: what a crash left open is shown as unknown."""
    outbox = Outbox(page(ACT))
    (told,) = relay(outbox, ledger, Line(fails=True)).step()
    assert told.unknown is not None
    line = Line()
    assert relay(outbox, ledger, line).step() == []
    assert line.sent == []
    assert ledger.unknown() == 1
