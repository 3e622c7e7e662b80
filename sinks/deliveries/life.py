"""The life of a delivery: its states, what happens to it, and what comes next, as one table.

`docs/deliveries.md` has the picture, which `diagram` draws from the table.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands. Only ``queued`` and ``claimed`` go on by themselves."""

    QUEUED = "queued"  # waits for its turn
    CLAIMED = "claimed"  # about to be sent, or being sent; nobody knows until it is settled
    SENT = "sent"  # a provider has taken it over
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"  # perhaps out: never sent again by itself if it is marketing
    EXPIRED = "expired"  # too late before it could be sent
    HELD_BACK = "held back"  # text or address missing, or revoked; it is certainly not out


class Event(StrEnum):
    """What can happen to a delivery."""

    CLAIM = "claim"  # on disk before anything is sent
    PUT_OFF = "put off"  # a limit of its template or address is used up
    WAIT = "wait"  # for its turn at the pace, or the end of quiet hours: its time to live stands still
    HOLD_BACK = "hold back"  # no text, no address
    REVOKE = "revoke"  # consent withdrawn, kill switch
    TOO_LATE = "too late"
    ACCEPT = "accept"  # by the provider
    REFUSE = "refuse"  # by the provider, for now: certainly not out
    GIVE_UP = "give up"  # the provider will never take it
    BREAK = "break"  # the end of the attempt is not known, also after a crash
    RETRY = "retry"  # of what is transactional: rather twice than not at all
    ARRIVED = "arrived"  # a receipt
    LOST = "lost"  # a receipt of failure
    SETTLE_DELIVERED = "settle delivered"  # a person knows
    SETTLE_FAILED = "settle failed"
    RESEND = "resend"  # a person decides
    REPLAY = "replay"  # a person decides: of what is out, where a receiver knows what it has had already


class Impossible(ValueError):
    """What happened cannot happen in this state; nothing was changed."""


_S, _E = State, Event
LIFE: dict[tuple[State, Event], State] = {
    (_S.QUEUED, _E.CLAIM): _S.CLAIMED,
    (_S.QUEUED, _E.PUT_OFF): _S.QUEUED,
    (_S.QUEUED, _E.WAIT): _S.QUEUED,
    (_S.QUEUED, _E.HOLD_BACK): _S.HELD_BACK,
    (_S.QUEUED, _E.REVOKE): _S.HELD_BACK,
    (_S.QUEUED, _E.TOO_LATE): _S.EXPIRED,
    (_S.CLAIMED, _E.ACCEPT): _S.SENT,
    (_S.CLAIMED, _E.REFUSE): _S.QUEUED,
    (_S.CLAIMED, _E.GIVE_UP): _S.FAILED,
    (_S.CLAIMED, _E.BREAK): _S.UNKNOWN,
    (_S.UNKNOWN, _E.RETRY): _S.QUEUED,
    (_S.UNKNOWN, _E.SETTLE_DELIVERED): _S.DELIVERED,
    (_S.UNKNOWN, _E.SETTLE_FAILED): _S.FAILED,
    (_S.UNKNOWN, _E.RESEND): _S.QUEUED,
    (_S.FAILED, _E.RESEND): _S.QUEUED,
    (_S.EXPIRED, _E.RESEND): _S.QUEUED,
    (_S.HELD_BACK, _E.RESEND): _S.QUEUED,
    (_S.SENT, _E.REPLAY): _S.QUEUED,
    (_S.DELIVERED, _E.REPLAY): _S.QUEUED,
    # Receipts come late and in any order; whatever says that it arrived is believed.
    (_S.SENT, _E.ARRIVED): _S.DELIVERED,
    (_S.SENT, _E.LOST): _S.FAILED,
    (_S.UNKNOWN, _E.ARRIVED): _S.DELIVERED,
    (_S.UNKNOWN, _E.LOST): _S.FAILED,
    (_S.DELIVERED, _E.ARRIVED): _S.DELIVERED,
    (_S.DELIVERED, _E.LOST): _S.DELIVERED,
    (_S.FAILED, _E.ARRIVED): _S.DELIVERED,
    (_S.FAILED, _E.LOST): _S.FAILED,
    # Of an earlier attempt, whose end was not known.
    (_S.QUEUED, _E.ARRIVED): _S.DELIVERED,
    (_S.QUEUED, _E.LOST): _S.QUEUED,
    (_S.EXPIRED, _E.ARRIVED): _S.DELIVERED,
    (_S.EXPIRED, _E.LOST): _S.EXPIRED,
    (_S.HELD_BACK, _E.ARRIVED): _S.DELIVERED,
    (_S.HELD_BACK, _E.LOST): _S.HELD_BACK,
}


def after(state: State, event: Event) -> State:
    """Return the state that an event leads to. Raises Impossible.

    >>> after(State.QUEUED, Event.CLAIM).value
    'claimed'
    """
    found = LIFE.get((state, event))
    if found is None:
        raise Impossible(f"a delivery that is {state} cannot take '{event}'")
    return found


def diagram() -> str:
    """Return the table as a Mermaid state diagram, an arrow for each pair of states; what changes nothing
    is left out.
    """
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, event), following in LIFE.items():
        if following is not state:
            arrows.setdefault((state, following), []).append(event.value)
    lines = ["stateDiagram-v2", "    [*] --> queued"]
    for (state, following), events in arrows.items():
        lines.append(f"    {_id(state)} --> {_id(following)}: {', '.join(events)}")
    return "\n".join(lines) + "\n"


def _id(state: State) -> str:
    return state.value.replace(" ", "_")
