"""``/v1/delivery-changes``: each change of a delivery's state, in order, by cursor or as events."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from console.access import BEARER, reads
from console.api.decisions import ERRORS, Cursor, Limit
from console.event_forms import FORMS, as_events, pages_of
from console.problems import responses
from console.serving import Answer, Here
from sinks.deliveries.life import State
from sinks.events.deliveries import DeliveryChange, event_of_change

router = APIRouter(tags=["deliveries"], dependencies=[Depends(reads)])


class DeliveryChanged(BaseModel):
    """A delivery came into another state, or into its first. It has no text and no address."""

    id: str = Field(description="the delivery's: its decision's", examples=["9d0c1f..."])
    customer: str = Field(description="id of 32 hex digits")
    trigger: str = Field(examples=["win_back"])
    channel: str = Field(examples=["sms"])
    template: str
    purpose: str = Field(examples=["marketing"])
    change: int = Field(description="which one of this delivery it is, from 1")
    state: State
    attempt: int = Field(description="attempts made so far")
    provider: str = Field(description="of the last attempt; empty before the first", examples=["sms/aliyun"])
    at: dt.datetime
    reason: str = Field(description="of the state; empty where there is none")


class DeliveryChanges(Answer):
    changes: list[DeliveryChanged]
    next: str = Field(description="the cursor to go on with, also behind an empty page", examples=["42"])


@router.get(
    "/v1/delivery-changes", openapi_extra=BEARER, response_model=DeliveryChanges,
    responses={**ERRORS, **responses("not-here", "cursor-gone"), **FORMS},
)  # fmt: skip
def delivery_changes(
    request: Request, serving: Here, cursor: Cursor = None, limit: Limit = 100
) -> DeliveryChanges | Response:
    """Return the changes behind a cursor, in the order in which they were written down; kept for 30 days."""
    shop = serving.shop.settings.name
    read = pages_of(serving.deliveries.changes, lambda one: (str(one.number), event_of_change(one, shop)))
    if (events := as_events(request, read, cursor, limit)) is not None:
        return events
    standing = serving.standing()
    found, last = serving.deliveries.changes(cursor, limit)
    return DeliveryChanges(**standing, changes=[_changed(one) for one in found], next=last)


def _changed(one: DeliveryChange) -> DeliveryChanged:
    at = dt.datetime.fromtimestamp(one.at, dt.UTC)
    return DeliveryChanged.model_validate({**vars(one), "at": at})
