"""``/v1/tag-changes``: tags entered and left, and segments changed, in order, by cursor."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from console.access import BEARER, reads
from console.api.decisions import ERRORS, Cursor, Customer, Limit, effect_event
from console.api.profiles import find_one
from console.event_forms import FORMS, as_events, pages_of
from console.serving import Answer, Here, moment
from engine.outcome import Transition

router = APIRouter(tags=["decisions"], dependencies=[Depends(reads)])


class TagChange(BaseModel):
    """A tag entered or left, or a segment changed."""

    customer: str = Field(description="id of 32 hex digits")
    what: str = Field(description="the tag, or the RFM model", examples=["高价值客户"])
    change: str = Field(description="enter, leave or segment", examples=["enter"])
    at: dt.datetime = Field(description="the minute at which it changed")
    mode: str = Field(description="what the log did then: import, live, history or activation")
    before: str | None = Field(description="the segment before")
    after: str | None = Field(description="the segment after")
    values: dict[str, Any] = Field(description="of the rule's metrics")
    partition: int
    step: int
    seq: int = Field(description="dense number in the partition, decisions counted with it")


class TagChanges(Answer):
    changes: list[TagChange]
    next: str = Field(description="the cursor to go on with, also behind an empty page", examples=["42.7.0"])


@router.get(
    "/v1/tag-changes", openapi_extra=BEARER, response_model=TagChanges, responses={**ERRORS, **FORMS}
)
def tag_changes(
    request: Request, serving: Here, cursor: Cursor = None, limit: Limit = 100, customer: Customer = None
) -> TagChanges | Response:
    """Return the changes behind a cursor, of each partition in the order in which they were committed.

    An embedded shop keeps them for 30 days by its log's own minutes.
    """
    identity = None if customer is None else find_one(serving, customer)
    read = pages_of(
        lambda at, most: serving.effects.tag_changes(at, most, identity),
        lambda one: (one.cursor, effect_event(serving, one.transition)),
    )
    if (events := as_events(request, read, cursor, limit)) is not None:
        return events
    standing = serving.standing()  # before the effects are read: there may only be more
    found, last = serving.effects.tag_changes(cursor, limit, identity)
    return TagChanges(**standing, changes=[_changed(one.transition) for one in found], next=last)


def _changed(one: Transition) -> TagChange:
    return TagChange(
        customer=one.customer, what=one.what, change=one.change, at=moment(one.minute), mode=one.mode,
        before=one.before, after=one.after, values=one.values, partition=one.partition, step=one.step,
        seq=one.seq,
    )  # fmt: skip
