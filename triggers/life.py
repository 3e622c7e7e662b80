"""The life of a trigger: its states, what a person does to it, and what comes next, as one table.

`docs/triggers.md` has the picture, which `diagram` draws from the table; D6 says what each state means.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triggers.trigger import Trigger


class State(StrEnum):
    """Where a trigger stands: ``status`` of its file."""

    DRAFT = "draft"  # checked, never asked
    SHADOW = "shadow"  # decides, and does nothing
    LIVE = "live"
    PAUSED = "paused"  # decides nothing, remembers what it knew
    ARCHIVED = "archived"  # over; its file is kept for the record


class Event(StrEnum):
    """What a person does to a trigger, as `tintype triggers` names it."""

    SHADOW = "shadow"
    LIVE = "live"
    PAUSE = "pause"
    DRAFT = "draft"
    ARCHIVE = "archive"


class Impossible(ValueError):
    """What is asked cannot be done to a trigger in this state."""


_S, _E = State, Event
LIFE: dict[tuple[State, Event], State] = {
    (_S.DRAFT, _E.SHADOW): _S.SHADOW,
    (_S.DRAFT, _E.ARCHIVE): _S.ARCHIVED,
    (_S.SHADOW, _E.LIVE): _S.LIVE,
    (_S.SHADOW, _E.PAUSE): _S.PAUSED,
    (_S.SHADOW, _E.DRAFT): _S.DRAFT,
    (_S.SHADOW, _E.ARCHIVE): _S.ARCHIVED,
    (_S.LIVE, _E.SHADOW): _S.SHADOW,
    (_S.LIVE, _E.PAUSE): _S.PAUSED,
    (_S.LIVE, _E.DRAFT): _S.DRAFT,
    (_S.LIVE, _E.ARCHIVE): _S.ARCHIVED,
    (_S.PAUSED, _E.LIVE): _S.LIVE,
    (_S.PAUSED, _E.SHADOW): _S.SHADOW,
    (_S.PAUSED, _E.DRAFT): _S.DRAFT,
    (_S.PAUSED, _E.ARCHIVE): _S.ARCHIVED,
    (_S.ARCHIVED, _E.DRAFT): _S.DRAFT,
}


def after(state: State, event: Event) -> State:
    """Return the state that an event leads to. Raises Impossible, with what can be done instead.

    >>> after(State.SHADOW, Event.LIVE).value
    'live'
    """
    found = LIFE.get((state, event))
    if found is None:
        can = ", ".join(steps(state))
        raise Impossible(f"a trigger that is {state} cannot go to '{event}'; it can: {can}")
    return found


def steps(state: State) -> list[Event]:
    """Return what can be done to a trigger in a state.

    >>> [one.value for one in steps(State.ARCHIVED)]
    ['draft']
    """
    return [event for before, event in LIFE if before is state]


def in_force(triggers: Mapping[str, Trigger]) -> dict[str, Trigger]:
    """Return the triggers that are part of the plan: all but drafts and archived ones (D6)."""
    out = (State.DRAFT, State.ARCHIVED)
    return {name: trigger for name, trigger in triggers.items() if trigger.status not in out}


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    lines += [f"    {state} --> {following}: {event}" for (state, event), following in LIFE.items()]
    return "\n".join(lines) + "\n"
