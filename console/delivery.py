"""Deliveries, attempts, acts by hand, counts and providers, as the API shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from sinks.deliveries.life import State
from sinks.deliveries.listing import Act, Attempt, Count, Listed

_DAY_SECONDS = 86_400


class DeliveryShown(BaseModel):
    """A delivery, as docs/deliveries.md has it. It has no text and no address."""

    number: int = Field(description="of the decision in the ledger: the order", examples=[42])
    id: str = Field(description="the decision's", examples=["9d0c1f..."])
    customer: str = Field(description="id of 32 hex digits")
    trigger: str = Field(examples=["win_back"])
    channel: str = Field(examples=["sms"])
    template: str
    purpose: str = Field(examples=["marketing"])
    state: State
    reason: str = Field(description="of its state; empty where there is none")
    attempts: int
    parts: int = Field(description="messages that it is charged as")
    decided: dt.datetime
    expires: dt.datetime = Field(description="from when it is not sent any more")
    due: dt.datetime | None = Field(description="when it goes on; null where it is not queued, or is paused")
    changed: dt.datetime
    clicked: dt.datetime | None = Field(description="when its link was followed first; null where never")
    clicks: int
    replied: dt.datetime | None = Field(description="when it was answered first; null where never")
    replies: int
    unsubscribed: bool = Field(description="whether an answer to it wants no more messages")


class AttemptShown(BaseModel):
    """One attempt, with the receipt that came for it."""

    attempt: int
    provider: str = Field(examples=["sms/aliyun"])
    claimed: dt.datetime
    ended: dt.datetime | None
    outcome: str = Field(
        description="accepted, refused: ..., unknown; empty while it is on its way", examples=["accepted"]
    )
    reference: str | None = Field(
        description="the provider's name for it; null without scope personal: it may hold an address"
    )
    parts: int | None
    code: str
    reason: str
    receipt: str | None = Field(description="delivered or failed", examples=["delivered"])
    receipt_at: dt.datetime | None
    receipt_code: str | None


class ActShown(BaseModel):
    """What a person did."""

    at: dt.datetime
    act: str = Field(examples=["resend"])
    reason: str


class CountShown(BaseModel):
    """Deliveries of a trigger, on a day (UTC) of deciding, by a channel, in a state."""

    trigger: str
    day: dt.date
    channel: str
    state: State
    deliveries: int
    parts: int = Field(description="messages that they are charged as")
    clicked: int = Field(description="of how many somebody has followed the link")
    replied: int = Field(description="how many were answered")
    unsubscribed: int = Field(description="to how many an answer wants no more messages")
    cost: str | None = Field(
        description="of the parts, at the providers' present prices, in the shop's currency; null where one "
        "is not known", examples=["0.135"],
    )  # fmt: skip
    last: dt.datetime | None = Field(
        description="when the last of what is queued leaves, at its pace; null where none is, or it is paused"
    )


class ProviderShown(BaseModel):
    """How a provider stands."""

    provider: str = Field(examples=["sms/aliyun"])
    state: str = Field(
        description="closed: it takes messages; open: it is left alone; half-open: one message tries",
        examples=["closed"],
    )
    reason: str = Field(description="why it is left alone")
    until: dt.datetime | None = Field(description="when it is tried again")
    sending: int = Field(description="batches on their way")


def delivery_shown(one: Listed) -> DeliveryShown:
    """Return a delivery as it is shown."""
    times = {name: _time(getattr(one, name)) for name in ("decided", "expires", "changed")}
    due = _moment(one.due) if one.state == State.QUEUED else None
    return DeliveryShown.model_validate({**vars(one), **times, "due": due, "clicked": _moment(one.clicked),
                                         "replied": _moment(one.replied)})  # fmt: skip


def attempt_shown(one: Attempt, sees: bool) -> AttemptShown:
    """Return an attempt as it is shown. sees: who asks may see what is personal."""
    times = {name: _moment(getattr(one, name)) for name in ("claimed", "ended", "receipt_at")}
    shown: dict[str, Any] = {**vars(one), **times, "reference": one.reference if sees else None}
    return AttemptShown.model_validate(shown)


def count_shown(one: Count) -> CountShown:
    """Return a count as it is shown."""
    day = _time(one.day * _DAY_SECONDS).date()
    return CountShown.model_validate({**vars(one), "day": day, "last": _moment(one.last)})


def act_shown(one: Act) -> ActShown:
    """Return an act by hand as it is shown."""
    return ActShown(at=_time(one.at), act=one.act, reason=one.reason)


def provider_shown(one: Mapping[str, Any]) -> ProviderShown:
    """Return how a provider stands, of `sinks.deliveries.dispatch.Dispatcher.health`."""
    return ProviderShown.model_validate({**one, "until": _moment(one["until"])})


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else _time(seconds)
