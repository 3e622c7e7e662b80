"""``/v1/decisions``: what the triggers concluded, in order; a consumer resumes exactly where it was."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from console.access import BEARER, reads
from console.api.profiles import find_one
from console.event_forms import FORMS, as_events, pages_of
from console.form import Concluded
from console.problems import responses
from console.serving import Answer, Here, Serving, moment
from engine.outcome import Decision, Transition
from sinks.events.effects import event_of_effect
from sinks.events.envelope import Envelope

MOST = 1000
router = APIRouter(tags=["decisions"], dependencies=[Depends(reads)])


class Delivery(BaseModel):
    """What became of the action: a state of docs/deliveries.md, or ``nothing to send``."""

    state: str = Field(examples=["sent"])
    detail: str | None


class DecisionMade(BaseModel):
    """What a trigger concluded for one customer: to act, or not and why (the guard and its figures)."""

    id: str = Field(description="the same whenever the log is replayed", examples=["9d0c1f..."])
    customer: str = Field(description="id of 32 hex digits")
    trigger: str = Field(examples=["win_back"])
    version: str
    at: dt.datetime = Field(description="the minute at which it was decided")
    outcome: str = Field(description="act, refused, held or contradicted", examples=["act"])
    guard: str = Field(description="what refused it", examples=["none"])
    status: str = Field(description="the trigger's: live, shadow or paused", examples=["live"])
    cause: dict[str, Any] = Field(description="the row, or the minute, that set it off")
    figures: dict[str, int | str] = Field(
        description="of the guard: lengths in minutes, moments as epoch minutes, counts, names"
    )
    values: dict[str, Any] = Field(description="of the rule's metrics")
    partition: int
    step: int
    delivery: Delivery | None = Field(description="null in a cluster, where topics tell of it")


class Decisions(Answer):
    decisions: list[DecisionMade]
    next: str = Field(description="the cursor to go on with, also behind an empty page", examples=["42"])


Cursor = Annotated[
    str | None,
    Query(
        pattern="^[0-9.]{1,5000}$",
        description="`next` of the page before, or the id of an event; from the oldest where absent",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Customer = Annotated[str | None, Query(description="only this one's: a reference or the id")]
ERRORS = responses(
    "key-missing", "scope-missing", "unknown-customer", "invalid-request", "cursor-gone", "store-away",
    "busy",
)  # fmt: skip


@router.get(
    "/v1/decisions", openapi_extra=BEARER, response_model=Decisions, responses={**ERRORS, **FORMS}
)
def decisions(
    request: Request, serving: Here, cursor: Cursor = None, limit: Limit = 100, customer: Customer = None
) -> Decisions | Response:
    """Return the decisions behind a cursor, in the order in which they were committed."""
    identity = None if customer is None else find_one(serving, customer)
    read = pages_of(
        lambda at, most: serving.effects.decisions(at, most, identity),
        lambda one: (one.cursor, effect_event(serving, one.decision)),
    )
    if (events := as_events(request, read, cursor, limit)) is not None:
        return events
    standing = serving.standing()  # before the effects are read: there may only be more
    found, last = serving.effects.decisions(cursor, limit, identity)
    return Decisions(**standing, decisions=[_made(one) for one in found], next=last)


def effect_event(serving: Serving, effect: Decision | Transition) -> Envelope:
    """Return an effect's event, as its topic has it."""
    return event_of_effect(msgspec.to_builtins(effect), effect.partition, serving.shop.settings.name)


def _cause(cause: dict[str, Any]) -> dict[str, Any]:
    return {**cause, "minute": moment(cause["minute"])} if "minute" in cause else cause


def _made(concluded: Concluded) -> DecisionMade:
    one, state = concluded.decision, concluded.state
    return DecisionMade(
        id=one.id, customer=one.customer, trigger=one.trigger, version=one.version, at=moment(one.minute),
        outcome=one.outcome, guard=one.guard, status=one.status, cause=_cause(one.cause), figures=one.figures,
        values=one.values, partition=one.partition, step=one.step,
        delivery=None if state is None else Delivery(state=state, detail=concluded.detail),
    )  # fmt: skip
