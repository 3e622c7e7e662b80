"""``/v1/decisions``: what the triggers concluded, in order; a consumer resumes exactly where it was."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from console.access import BEARER, reads
from console.api.profiles import find_one
from console.problems import responses
from console.serving import Answer, Here, moment
from sinks.deliveries.ledger import Entry

MOST = 1000
router = APIRouter(tags=["decisions"], dependencies=[Depends(reads)])


class Delivery(BaseModel):
    """What became of the action: claimed, sent, held back, or nothing to send."""

    state: str = Field(examples=["sent"])
    detail: str | None


class DecisionMade(BaseModel):
    """What a trigger concluded for one customer: to act, or not and why (the guard and its figures)."""

    id: str = Field(description="the same whenever the log is replayed", examples=["9d0c1f..."])
    customer: str = Field(description="id of 32 hex digits")
    trigger: str = Field(examples=["win_back"])
    version: str
    at: dt.datetime = Field(description="the minute at which it was decided")
    outcome: str = Field(description="act, refused or contradicted", examples=["act"])
    guard: str = Field(description="what refused it", examples=["none"])
    status: str = Field(description="the trigger's: live, shadow or paused", examples=["live"])
    cause: dict[str, Any] = Field(description="the row, or the minute, that set it off")
    figures: dict[str, int] = Field(description="of the guard, in minutes; acted_at is an epoch minute")
    values: dict[str, Any] = Field(description="of the rule's metrics")
    partition: int
    step: int
    delivery: Delivery


class Decisions(Answer):
    decisions: list[DecisionMade]
    next: str = Field(description="the cursor to go on with; an empty page keeps it", examples=["42"])


@router.get(
    "/v1/decisions", openapi_extra=BEARER,
    responses=responses("key-missing", "scope-missing", "unknown-customer", "invalid-request", "store-away"),
)  # fmt: skip
def decisions(
    serving: Here,
    cursor: Annotated[str, Query(pattern="^[0-9]{1,18}$", description="`next` of the page before")] = "0",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    customer: Annotated[str | None, Query(description="only this one's: a reference or the id")] = None,
) -> Decisions:
    """Return the decisions behind a cursor, in the order in which they were committed."""
    identity = None if customer is None else find_one(serving, customer).hex()
    standing = serving.standing()  # before the ledger is read: it may only have more
    found = serving.ledger.after(int(cursor), limit, identity)
    last = str(found[-1].number) if found else cursor
    return Decisions(**standing, decisions=[_made(entry) for entry in found], next=last)


def _cause(cause: dict[str, Any]) -> dict[str, Any]:
    return {**cause, "minute": moment(cause["minute"])} if "minute" in cause else cause


def _made(entry: Entry) -> DecisionMade:
    one = entry.decision
    return DecisionMade(
        id=one.id, customer=one.customer, trigger=one.trigger, version=one.version, at=moment(one.minute),
        outcome=one.outcome, guard=one.guard, status=one.status, cause=_cause(one.cause), figures=one.figures,
        values=one.values, partition=one.partition, step=one.step,
        delivery=Delivery(state=entry.state, detail=entry.detail),
    )  # fmt: skip
