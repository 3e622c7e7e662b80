"""The ledger of deliveries: each decision once, claimed on disk before it is sent (P5)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.sending.courier_relay import NAME, CourierRelay, effects_of
from engine.outcome import Decision, Transition
from sinks.channels.outcome import Accepted, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.deliveries.delivery import Step, Way, Withheld
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, Impossible, State
from sinks.deliveries.pace import Pace
from sinks.deliveries.records import Moved
from sinks.deliveries.tables import FILE_NAME, NOTHING
from sinks.store.store import Page
from tests.sinks.dispatching import START, decided, queue, route, states

ACT = decided(0)
REFUSED = replace(decided(1), outcome="refused", guard="consent")
LATER = replace(decided(3), customer="f" * 32)
MOVED = Transition(0, 1, 2, "a" * 32, "vip", "enter", "live", seq=2)
LANE = "sms/0"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def page(*effects: Decision | Transition) -> Page:
    made = sum(isinstance(one, Decision) for one in effects)
    return Page(effects[0].seq, effects[-1].seq, made, msgspec.json.encode(effects))


def to_act(decision: Decision) -> Way:
    return route() if decision.outcome == "act" else None


def claim(number: int, at: float = START) -> Step:
    return Step(number, Event.CLAIM, at, LANE)


def test_a_decision_is_queued_once_and_only_to_act(ledger: Ledger) -> None:
    made = [(ACT, route()), (REFUSED, None)]
    assert ledger.take(NAME, made, {0: 2}) == 1
    assert ledger.take(NAME, made, {0: 2}) == 0
    assert ledger.take(NAME, [(LATER, "there is no channel 'sms'")], {0: 4}) == 0
    found = [(entry.state, entry.detail) for entry in ledger.after(0, 10)]
    assert found == [("queued", None), (NOTHING, None), ("held back", "there is no channel 'sms'")]
    assert ledger.drained(NAME, 2) == [4, 0]


def test_what_was_held_back_for_a_reason_waits_as_what_it_is_when_it_is_sent_again(ledger: Ledger) -> None:
    """It was marketing by no channel, so it was queued for nobody until it expired."""
    paced = Pace(1, 3600)
    way = replace(route("transactional", lasts=600.0), template="sale", priority=7, pace=paced)
    ledger.take(NAME, [(ACT, Withheld(way, "too many")), (LATER, way)], {0: 4})
    assert [one.number for one in ledger.waiting("sms", [0], START, 9)] == [2]  # it took no place at the pace
    assert [entry.detail for entry in ledger.after(0, 1)] == ["too many"]
    ledger.act_by_hand(ACT.id, Event.RESEND, "it was planned", START + 7)
    [one] = [one for one in ledger.waiting("sms", [0], START + 7, 9) if one.number == 1]
    assert (one.template, one.purpose, one.priority, one.pace) == ("sale", "transactional", 7, paced)
    assert one.expires == START + 7 + 3600


def test_what_has_no_channel_cannot_be_sent_again(ledger: Ledger) -> None:
    ledger.take(NAME, [(ACT, "there is no channel 'sms'")], {0: 1})
    with pytest.raises(Impossible, match="without a channel cannot be sent again: there is no channel 'sms'"):
        ledger.act_by_hand(ACT.id, Event.RESEND, "now it is there", START)
    assert states(ledger) == {0: "held back"}
    assert ledger.rows("SELECT * FROM by_hand") == []


def test_what_is_read_behind_a_cursor_comes_once_and_in_order(ledger: Ledger) -> None:
    ledger.take(NAME, [(ACT, route()), (REFUSED, None), (LATER, route())], {0: 4})
    first = ledger.after(0, 2)
    assert [entry.decision for entry in first] == [ACT, REFUSED]
    assert [entry.decision for entry in ledger.after(first[-1].number, 10)] == [LATER]
    assert ledger.after(99, 10) == []
    assert [entry.decision for entry in ledger.after(0, 10, LATER.customer)] == [LATER]


def test_a_failure_in_between_queues_nothing(ledger: Ledger) -> None:
    broken = replace(LATER, outcome=object())  # type: ignore[arg-type]  # nothing a table can hold
    with pytest.raises(TypeError):
        ledger.take(NAME, [(ACT, route()), (broken, route())], {0: 4})
    assert ledger.after(0, 10) == []
    assert ledger.drained(NAME, 1) == [0]
    assert ledger.take(NAME, [(ACT, route())], {0: 1}) == 1


def test_what_one_has_claimed_another_cannot(ledger: Ledger) -> None:
    queue(ledger, [1, 2])
    assert ledger.write([claim(1)]) == [State.CLAIMED]
    assert ledger.write([claim(1), claim(2), claim(99)]) == [None, State.CLAIMED, None]
    assert [one.number for one in ledger.waiting("sms", [0], START, 9)] == []


def test_an_end_is_written_once(ledger: Ledger) -> None:
    queue(ledger, [1])
    ledger.write([claim(1)])
    accepted = Step(1, Event.ACCEPT, START + 1, outcome=Accepted("r1", 2))
    assert ledger.write([accepted]) == [State.SENT]
    assert ledger.write([Step(1, Event.GIVE_UP, START, outcome=Refused("give_up", "", "no"))]) == [None]
    assert states(ledger) == {1: "sent"}
    columns = "attempt, provider, claimed, ended, outcome, reference, parts"
    found = ledger.connection.execute(f"SELECT {columns} FROM attempt").fetchall()
    assert found == [(1, LANE, START, START + 1, "accepted", "r1", 2)]


def test_after_a_crash_marketing_is_unknown_and_what_is_transactional_waits_again(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    queue(first, [1])
    queue(first, [2], route("transactional"))
    queue(first, [3])
    first.write([claim(1), claim(2)])
    first.close()
    second = Ledger(tmp_path)
    assert second.recover(START + 9) == 2
    assert states(second) == {1: "unknown", 2: "queued", 3: "queued"}
    assert second.recover(START + 9) == 0
    assert second.unknown() == 1
    assert list(second.attempts_since(LANE, START - 1)) == [
        (START, "hi", f"{1:032x}"), (START, "hi", f"{2:032x}")
    ]  # fmt: skip
    second.close()


def test_a_receipt_finds_its_attempt_by_reference_or_by_the_deliverys_id(ledger: Ledger) -> None:
    queue(ledger, range(1, 5))
    ledger.write([claim(one) for one in range(1, 5)])
    ledger.write([Step(one, Event.ACCEPT, START, outcome=Accepted(f"r{one}")) for one in (1, 2)])
    ledger.write([Step(one, Event.BREAK, START, outcome=Unknown("broke")) for one in (3, 4)])
    found = ledger.receive(
        LANE,
        [Receipt("r1", "delivered"), Receipt("r2", "failed", code="absent"),
         Receipt(f"{3:032x}", "delivered"), Receipt("r9", "delivered"), Receipt(None, "replied")], START,
    )  # fmt: skip
    assert found == [f"{1:032x}", f"{2:032x}", f"{3:032x}", None, None]
    # `queue` numbers decisions from 1 in the order given
    assert states(ledger) == {1: "delivered", 2: "failed", 3: "delivered", 4: "unknown"}
    assert ledger.receive("mail/0", [Receipt("r1", "failed")], START) == [None]
    ledger.receive(LANE, [Receipt("r1", "failed"), Receipt("r2", "delivered")], START)
    assert states(ledger) == {1: "delivered", 2: "delivered", 3: "delivered", 4: "unknown"}


def test_that_an_earlier_attempt_failed_says_nothing_of_the_last(ledger: Ledger) -> None:
    queue(ledger, [1])
    for reference in ("r1", "r2"):
        ledger.write([claim(1), Step(1, Event.ACCEPT, START, outcome=Accepted(reference))])
        if reference == "r1":
            ledger.receive(LANE, [Receipt("r1", "failed")], START)
            ledger.act_by_hand(f"{1:032x}", Event.RESEND, "asked for it", START)
    ledger.receive(LANE, [Receipt("r1", "failed")], START)
    assert states(ledger) == {1: "sent"}
    ledger.receive(LANE, [Receipt("r2", "failed")], START)
    assert states(ledger) == {1: "failed"}


def test_receipts_that_nobody_can_be_found_for_are_bounded(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.deliveries.receipts.KEPT_MOST", 10)
    ledger.receive(LANE, [Receipt(f"r{number}", "delivered") for number in range(30)], START)
    assert ledger.connection.execute("SELECT count(*) FROM receipt").fetchone() == (10,)
    ledger.receive(LANE, [Receipt("new", "delivered")], START + 8 * 86400)
    assert ledger.connection.execute("SELECT reference FROM receipt").fetchall() == [("new",)]


def test_a_person_sends_again_or_settles_with_a_reason_on_record(ledger: Ledger) -> None:
    queue(ledger, [1, 2, 3])
    ledger.write([claim(1), claim(2)])
    ledger.recover(START)
    ledger.act_by_hand(f"{1:032x}", Event.SETTLE_DELIVERED, "the customer has it", START)
    ledger.act_by_hand(f"{2:032x}", Event.RESEND, "the customer has nothing", START + 100_000)
    assert states(ledger) == {1: "delivered", 2: "queued", 3: "queued"}
    assert ledger.expire(START + 100_000, 9) == 1, "the one that nobody asked for"
    assert states(ledger)[2] == "queued"
    with pytest.raises(Impossible, match="a delivery that is delivered cannot take 'resend'"):
        ledger.act_by_hand(f"{1:032x}", Event.RESEND, "once more", START)
    with pytest.raises(Impossible, match="nothing that a person does"):
        ledger.act_by_hand(f"{2:032x}", Event.CLAIM, "x", START)
    with pytest.raises(KeyError):
        ledger.act_by_hand("f" * 32, Event.RESEND, "x", START)
    assert ledger.connection.execute("SELECT number, act, reason FROM by_hand").fetchall() == [
        (1, "settle delivered", "the customer has it"), (2, "resend", "the customer has nothing")
    ]  # fmt: skip


def test_a_ledger_of_the_former_version_is_taken_over(tmp_path: Path) -> None:
    """What was claimed without an end stays unknown: it was never to be sent again."""
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript("""
        CREATE TABLE drained (relay TEXT, partition INTEGER, effects INTEGER, PRIMARY KEY (relay, partition));
        CREATE TABLE decision (number INTEGER PRIMARY KEY, partition INTEGER NOT NULL, seq INTEGER NOT NULL,
            id TEXT NOT NULL, outcome TEXT NOT NULL, customer TEXT NOT NULL, state TEXT NOT NULL,
            detail TEXT, body BLOB NOT NULL, UNIQUE (id, outcome));
        CREATE INDEX decision_customer ON decision (customer, number);
        CREATE INDEX decision_claimed ON decision (state) WHERE state = 'claimed';
        INSERT INTO drained VALUES ('channels', 0, 4);
    """)
    for number, state in enumerate(("claimed", "sent", "held back", "nothing to send")):
        one = decided(number)
        old.execute(
            "INSERT INTO decision VALUES (?, 0, ?, ?, 'act', ?, ?, 'why', ?)",
            (number + 1, number, one.id, one.customer, state, msgspec.json.encode(one)),
        )
    old.commit()
    old.close()
    for _ in range(2):
        ledger = Ledger(tmp_path)
        assert states(ledger) == {0: "unknown", 1: "sent", 2: "held back", 3: NOTHING}
        assert ledger.drained(NAME, 1) == [4]
        assert ledger.after(0, 1)[0].detail == "why"
        ledger.close()


def test_decisions_and_changes_are_told_apart_in_a_page() -> None:
    whole = page(ACT, REFUSED, MOVED, LATER)
    made, moved = effects_of(whole, 0)
    assert made == [ACT, REFUSED, LATER]
    assert [msgspec.json.decode(one, type=Transition) for one in moved.changes] == [MOVED]
    assert effects_of(whole, LATER.seq) == ([LATER], Moved([], LATER.minute))


class Outbox:
    """Some pages, as `Store.pages` gives them."""

    def __init__(self, *pages: Page) -> None:
        self.held = pages

    def pages(self, partition: int, after: int, limit: int) -> list[Page]:
        return [one for one in self.held if one.last >= after][:limit]


def relay(outbox: Outbox, ledger: Ledger) -> CourierRelay:
    return CourierRelay(outbox, ledger, to_act, 1)  # type: ignore[arg-type]  # all that it asks


def test_a_page_is_taken_over_once_also_by_the_next_process(ledger: Ledger) -> None:
    outbox = Outbox(page(ACT, REFUSED, MOVED), page(LATER))
    assert [relay(outbox, ledger).step() for _ in range(2)] == [2, 0]
    assert [entry.decision for entry in ledger.after(0, 10)] == [ACT, REFUSED, LATER]


def test_a_page_that_goes_on_with_known_effects_gives_the_new_ones(ledger: Ledger) -> None:
    relay(Outbox(page(ACT, REFUSED)), ledger).step()
    relay(Outbox(page(REFUSED, MOVED, LATER)), ledger).step()
    assert [one.decision for one in ledger.waiting("sms", [0], START, 9)] == [ACT, LATER]
    assert len(ledger.after(0, 10)) == 3
