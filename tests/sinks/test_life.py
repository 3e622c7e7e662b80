"""The life of a delivery is one table, and the document's picture is drawn from it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from sinks.deliveries.life import LIFE, Event, Impossible, State, after, diagram

DOCUMENT = Path(__file__).parents[2] / "docs" / "deliveries.md"
BEFORE_SENDING = {Event.HOLD_BACK, Event.REVOKE, Event.TOO_LATE, Event.PUT_OFF, Event.CLAIM}
BY_HAND = {Event.RESEND, Event.REPLAY, Event.SETTLE_DELIVERED, Event.SETTLE_FAILED}


def test_the_picture_in_the_document_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text(encoding="utf-8")


def test_what_the_table_does_not_have_is_refused() -> None:
    for state, event in product(State, Event):
        if (state, event) in LIFE:
            assert after(state, event) is LIFE[state, event]
        else:
            with pytest.raises(Impossible, match="cannot take"):
                after(state, event)


def test_only_a_claim_leads_to_sending_and_only_what_is_queued_is_claimed() -> None:
    """P5: nothing goes out that is not claimed on disk, and nothing twice by one claim."""
    assert [pair for pair, following in LIFE.items() if following is State.CLAIMED] == [
        (State.QUEUED, Event.CLAIM)
    ]
    assert [pair for pair, following in LIFE.items() if following is State.SENT] == [
        (State.CLAIMED, Event.ACCEPT)
    ]


def test_what_may_be_out_is_queued_again_only_by_retry_or_by_hand() -> None:
    """Marketing at most once: the one way back from unknown is a person's, or for what is transactional."""
    back = {event for (state, event), to in LIFE.items() if state is State.UNKNOWN and to is State.QUEUED}
    assert back == {Event.RETRY, Event.RESEND}
    for state in (State.SENT, State.DELIVERED):  # a replay: of what its receiver knows by its id
        back = {event for (one, event), to in LIFE.items() if one is state and to is State.QUEUED}
        assert back == {Event.REPLAY}


def test_what_stops_a_message_acts_only_on_what_waits() -> None:
    for state, event in LIFE:
        if event in BEFORE_SENDING:
            assert state is State.QUEUED


def test_a_receipt_is_taken_in_every_state_but_claimed() -> None:
    """Of what is claimed it is kept until the attempt is settled."""
    for state in set(State) - {State.CLAIMED}:
        assert after(state, Event.ARRIVED) is State.DELIVERED
        after(state, Event.LOST)


def test_a_person_acts_only_on_what_has_ended() -> None:
    for state, event in LIFE:
        if event is Event.REPLAY:
            assert state in (State.SENT, State.DELIVERED)
        elif event in BY_HAND:
            assert state in (State.UNKNOWN, State.FAILED, State.EXPIRED, State.HELD_BACK)
