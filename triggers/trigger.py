"""What a trigger is: when to decide, for whom, what stands against it, and what to do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.declare import Declared
from profiles.windows import parse_length
from triggers.shop_guards import QuietHours


class Event(Declared):
    """Rows of one source, by the operations named, that pass ``where`` (a rule over its columns)."""

    source: str
    operations: list[Literal["insert", "update", "delete"]] = ["insert"]
    where: str | None = None


class Absence(Declared):
    """``after`` happened and ``of`` did not, within the length from after's event minute (D1)."""

    after: Event
    of: Event
    within: str


def kept_minutes(absence: Absence, max_age: str) -> int:
    """Return how long from its event minute on a row of A or B must be kept (W3): until the instance, which
    may wait for B's source or come late, is refused as too old (D4).

    >>> event = Event(source="orders")
    >>> kept_minutes(Absence(after=event, of=event, within="2h"), "1h")
    183
    """
    return parse_length(absence.within) + parse_length(max_age) + 3


class Schedule(Declared):
    """Local times of the shop's zone: ``at`` (HH:MM) on ``days`` (mon..sun; every day when empty), or only
    ``on`` some dates."""

    at: str
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = []
    on: list[str] = Field(default=[], description="dates such as 2026-12-01: on these alone, and no others")


class When(Declared):
    """Exactly one of the five occasions."""

    event: Event | None = None
    enter: str | None = Field(default=None, description="a tag's name, or 'segment:NAME'")
    leave: str | None = Field(default=None, description="a tag's name, or 'segment:NAME'")
    absence: Absence | None = None
    schedule: Schedule | None = None


class Forecast(Declared):
    """How often a trigger acts at most, over all customers: beyond it, who sends stops it (semantics D7)."""

    most: int = Field(ge=1, le=1_000_000_000, description="decisions to act")
    within: str = Field(description="length, of 7d at most, in which they are made")


class Goal(Declared):
    """What a trigger is to bring about: rows of a source, of a customer whom it reached (semantics D8)."""

    source: str
    where: str | None = Field(default=None, description="a rule over the row's columns; others do not count")
    within: str = Field(description="length, behind the minute of the decision")
    value: str | None = Field(default=None, description="a column whose sum is what the rows are worth")


class Guards(Declared):
    consent: str | None = Field(
        default=None, description="channel/purpose that must be granted, such as sms/marketing"
    )
    cool_down: str | None = Field(
        default=None, description="length after an acted decision of this trigger for the same customer"
    )
    once: bool = Field(default=False, description="true: acts once for a customer, and never again")
    hold_out: int = Field(default=0, ge=0, le=99, description="percent of customers whom it never reaches")
    quiet_hours: QuietHours | None = Field(default=None, description="in place of the shop's")
    max_age: str = Field(default="1h", description="a cause older than this is recorded, not acted upon (D4)")
    forecast: Forecast | None = Field(
        default=None, description="acts for all customers together, beyond which it is stopped"
    )


class Pace(Declared):
    """At most so many messages of a trigger in any stretch of this length, spread evenly."""

    most: int = Field(ge=1, le=1_000_000, description="messages")
    within: str = Field(description="length, such as 1m")


class Action(Declared):
    channel: str
    template: str = ""
    values: dict[str, str] = Field(default={}, description="named rules whose values go with the action")
    coupon: str = Field(
        default="", description="a pool of coupons.yaml: the template says a code of it, {{ coupon }}"
    )
    pace: Pace | None = Field(
        default=None, description="its messages wait for their turn: so many in any stretch of a length"
    )


class Trigger(Declared):
    """A trigger (semantics D1 to D3, D5)."""

    name: str = ""
    title: str = ""
    owner: str = ""
    description: str = ""
    when: When
    condition: str | None = Field(default=None, alias="if")
    for_: str | None = Field(default=None, alias="for")
    guards: Guards = Guards()
    action: Action
    goal: Goal | None = Field(
        default=None, description="what it is to bring about: counted, and beside those whom it never reaches"
    )
    purpose: Literal["marketing", "transactional"] = Field(
        default="marketing",
        description="marketing goes out at most once, and the shop's own guards stand against it; "
        "transactional goes out at least once, and before marketing",
    )
    priority: int = Field(
        default=0, ge=-1000, le=1000, description="of several at one step the greater comes first"
    )
    status: Literal["draft", "shadow", "live", "paused", "archived"] = Field(
        default="live", description="where it stands in its life (docs/triggers.md)"
    )
    on_activation: bool = Field(
        default=False, description="members that a new rule already fits set it off too (G4)"
    )
