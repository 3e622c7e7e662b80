"""Changes of deliveries' states: each is told once, in order, and in the transaction of its step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.channels.outcome import Accepted, Refused
from sinks.channels.provider import Receipt
from sinks.deliveries.changes import KEPT_DAYS, Forgotten, changes_after
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.tables import FILE_NAME
from sinks.events.deliveries import DeliveryChange, event_of_change
from tests.sinks.dispatching import START, queue

LANE = "sms/0"
DAY = 86400.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def changes(ledger: Ledger, number: int | None = None, limit: int = 100) -> list[DeliveryChange]:
    return changes_after(ledger.connection, number, limit)


def claim(number: int, at: float = START) -> Step:
    return Step(number, Event.CLAIM, at, LANE)


def test_a_life_is_told_step_by_step_with_attempt_and_provider(ledger: Ledger) -> None:
    """What leaves the state as it was is none, and two steps of one write are two."""
    queue(ledger, [0])
    ledger.write([Step(1, Event.PUT_OFF, START + 1, due=START + 2)])
    ledger.write([claim(1, START + 2)])
    busy = Refused("retry", "E1", "busy")
    ledger.write([Step(1, Event.REFUSE, START + 3, outcome=busy, due=START + 4, reason="busy")])
    ledger.write([claim(1, START + 4), Step(1, Event.ACCEPT, START + 5, outcome=Accepted("r"))])
    ledger.receive(LANE, [Receipt("r", "delivered"), Receipt("r", "delivered")], START + 6)
    told = [(one.number, one.change, one.state, one.attempt, one.provider) for one in changes(ledger)]
    assert told == [
        (1, 1, "queued", 0, ""), (2, 2, "claimed", 1, LANE), (3, 3, "queued", 1, LANE),
        (4, 4, "claimed", 2, LANE), (5, 5, "sent", 2, LANE), (6, 6, "delivered", 2, LANE),
    ]  # fmt: skip
    assert [one.at - START for one in changes(ledger)] == [0, 2, 3, 4, 5, 6]
    assert [one.reason for one in changes(ledger)][2] == "busy"
    assert changes(ledger, 2, 3) == changes(ledger)[2:5]
    assert changes(ledger, 6) == []


def test_a_step_that_is_not_written_tells_nothing(ledger: Ledger) -> None:
    queue(ledger, [0])
    broken = Step(1, Event.ACCEPT, START, outcome=Accepted(object()))  # type: ignore[arg-type]
    with pytest.raises(sqlite3.Error):
        ledger.write([claim(1), broken])
    assert [one.state for one in changes(ledger)] == ["queued"]
    ledger.write([Step(1, Event.ACCEPT, START)])  # the table of lives has no such step
    assert [one.state for one in changes(ledger)] == ["queued"]


def test_the_oldest_go_after_a_while_and_whoever_needed_them_is_told(ledger: Ledger) -> None:
    queue(ledger, range(3))
    late = START + KEPT_DAYS * DAY
    ledger.write([claim(1, START + DAY), claim(2, late)])
    assert changes(ledger)[0].number == 1
    ledger.write([claim(3, late + 1)])
    assert [one.number for one in changes(ledger)] == [4, 5, 6]
    assert [one.number for one in changes(ledger, 3)] == [4, 5, 6]
    for number in (0, 2, 7):
        with pytest.raises(Forgotten):
            changes(ledger, number)
    ledger.write([Step(3, Event.ACCEPT, late + 90 * DAY, outcome=Accepted("r"))])
    assert [one.number for one in changes(ledger)] == [7]  # the newest stays: numbers go on from there
    assert changes(ledger)[0].change == 3


def test_a_ledger_without_changes_is_taken_over(tmp_path: Path) -> None:
    queue(ledger := Ledger(tmp_path), [0])
    ledger.close()
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript("DROP TABLE delivery_change; ALTER TABLE delivery DROP COLUMN changes;")
    old.close()
    for _ in range(2):
        again = Ledger(tmp_path)
        again.close()
    again = Ledger(tmp_path)
    again.write([claim(1)])
    queue(again, [1])
    told = [(one.number, one.change, one.state) for one in changes(again)]
    again.close()
    assert told == [(1, 1, "claimed"), (2, 1, "queued")]


def test_an_event_is_the_same_wherever_it_is_told(ledger: Ledger) -> None:
    """Its id says whose and which change it is, nothing of the ledger's numbers."""
    queue(ledger, [4, 5])
    ledger.write([Step(2, Event.REVOKE, START + 0.25, reason="withdrawn")])
    one = event_of_change(changes(ledger)[2], "茶")
    assert (one.id, one.type, one.source) == ("0-5-2", "tintype.delivery.held-back", "/tintype/%E8%8C%B6")
    assert one.time == one.data["at"] == "2026-03-01T21:20:00.250Z"
    assert (one.data["decision"], one.data["reason"]) == (f"{5:032x}", "withdrawn")
    assert "number" not in one.data
