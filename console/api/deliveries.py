"""``/v1/deliveries`` and ``/v1/providers``: what became of each decision to act, and acts by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, NoReturn, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from console.access import BEARER, acts_by_hand, may_see_persons, reads
from console.api.decisions import Limit
from console.api.profiles import find_one
from console.delivery import (
    ActShown,
    AttemptShown,
    CountShown,
    DeliveryShown,
    ProviderShown,
    act_shown,
    attempt_shown,
    count_shown,
    delivery_shown,
    provider_shown,
)
from console.problems import Problem, refuse, responses
from console.serving import Answer, Here, Serving
from sinks.channels.charging import prices_of
from sinks.channels.replaying import why_not
from sinks.deliveries.again import MOST
from sinks.deliveries.life import Event, Impossible, State
from sinks.deliveries.listing import Wanted

Result = TypeVar("Result")
LONGEST_REASON = 1000
router = APIRouter(tags=["deliveries"])
READ, ACT = [Depends(reads)], [Depends(acts_by_hand)]
ERRORS = responses("key-missing", "scope-missing", "invalid-request", "not-ready")
ACTED = {**ERRORS, **responses("unknown-delivery", "wrong-state", "disk-full", "kafka-away")}
_SETTLED = {"delivered": Event.SETTLE_DELIVERED, "failed": Event.SETTLE_FAILED}
DeliveryId = Annotated[str, Path(description="the decision's", examples=["9d0c1f..."])]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON),
    Field(description="why, for the record", examples=["the customer asked for it"]),
]


class DeliveryList(Answer):
    deliveries: list[DeliveryShown]
    next: str = Field(description="the cursor to go on with, also behind an empty page", examples=["42"])


class DeliveryLife(Answer):
    delivery: DeliveryShown
    attempts: list[AttemptShown]
    by_hand: list[ActShown]
    withheld: list[str] = Field(default=[], description="parts that a key of scope personal sees")


class DeliveryCounts(Answer):
    counts: list[CountShown]
    currency: str | None = Field(description="of costs; null where the shop says none", examples=["CNY"])


class Providers(Answer):
    providers: list[ProviderShown]


class Resend(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Reason


class ResendMany(BaseModel):
    """Which: those that came to nothing in one of these ways, the oldest first."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["failed", "expired", "held back"]
    channel: str | None = Field(default=None, description="only of this channel")
    trigger: str | None = Field(default=None, description="only of this trigger")
    since: AwareDatetime | None = Field(default=None, description="decided then or later")
    most: int = Field(default=100, ge=1, le=MOST, description="so many at once")
    reason: Reason


class Replay(BaseModel):
    """Which: those of a channel of webhooks that are sent or delivered, in the order of deciding."""

    model_config = ConfigDict(extra="forbid")
    channel: str = Field(description="a channel of webhooks", examples=["crm"])
    trigger: str | None = Field(default=None, description="only of this trigger")
    since: AwareDatetime = Field(description="decided then or later")
    until: AwareDatetime | None = Field(default=None, description="decided before")
    cursor: str = Field(default="0", pattern="^[0-9]{1,18}$", description="`next` of the answer before")
    most: int = Field(default=MOST, ge=1, le=MOST, description="so many at once")
    reason: Reason


class Replayed(Answer):
    replayed: int = Field(description="queued again")
    next: str | None = Field(description="the cursor to go on with; null where there are no more")


class Resent(Answer):
    resent: int = Field(description="queued again")
    left: int = Field(description="that are in this state still", examples=[0])


class Settle(BaseModel):
    model_config = ConfigDict(extra="forbid")
    state: Literal["delivered", "failed"]
    reason: Reason


def wanted(
    serving: Here,
    state: Annotated[State | None, Query(description="only in this state")] = None,
    channel: Annotated[str | None, Query(description="only of this channel")] = None,
    trigger: Annotated[str | None, Query(description="only of this trigger")] = None,
    customer: Annotated[str | None, Query(description="only this one's: a reference or the id")] = None,
    since: Annotated[
        AwareDatetime | None, Query(description="decided then or later", examples=["2026-03-01T00:00:00Z"])
    ] = None,
    until: Annotated[
        AwareDatetime | None, Query(description="decided before", examples=["2026-03-02T00:00:00Z"])
    ] = None,
) -> Wanted:
    """Return which deliveries a request asks for. Raises Problem."""
    whose = None if customer is None else find_one(serving, customer).hex()
    start, end = (None if one is None else one.timestamp() for one in (since, until))
    return Wanted(state, channel, trigger, whose, start, end)


Asked = Annotated[Wanted, Depends(wanted)]
FILTER = {**ERRORS, **responses("unknown-customer", "store-away")}


@router.get("/v1/deliveries", dependencies=READ, openapi_extra=BEARER, responses=FILTER)
async def deliveries(
    serving: Here, asked: Asked, limit: Limit = 100,
    cursor: Annotated[
        str, Query(pattern="^[0-9]{1,18}$", description="`next` of the page before, in the same order")
    ] = "0",
    newest: Annotated[bool, Query(description="1: the newest first")] = False,
) -> DeliveryList:  # fmt: skip
    """Return deliveries in the order in which they were decided, behind a cursor; or the newest first.

    A delivery keeps its place when its state changes: to follow states, ask for the counts, or for those in
    one state.
    """
    found = await _read(lambda: serving.deliveries.listed(asked, limit, int(cursor), newest))
    last = str(found[-1].number) if found else cursor
    return DeliveryList(
        **await serving.standing_soon(), deliveries=[delivery_shown(one) for one in found], next=last
    )


@router.get("/v1/deliveries:counts", dependencies=READ, openapi_extra=BEARER, responses=FILTER)
async def delivery_counts(serving: Here, asked: Asked) -> DeliveryCounts:
    """Count deliveries by trigger, day (UTC), channel and state, with the parts they are charged as, what
    these cost, and how many were answered."""
    prices = prices_of(serving.shop.channels)
    found = await _read(lambda: serving.deliveries.counts(asked, prices))
    return DeliveryCounts(
        **await serving.standing_soon(), counts=[count_shown(one) for one in found],
        currency=serving.shop.settings.currency or None,
    )  # fmt: skip


@router.get("/v1/deliveries/{delivery}", openapi_extra=BEARER,
            responses={**ERRORS, **responses("unknown-delivery")})  # fmt: skip
async def delivery_life(
    serving: Here, delivery: DeliveryId, sees: Annotated[bool, Depends(may_see_persons)]
) -> DeliveryLife:
    """Return a delivery's whole life: attempts, receipts, and what was done by hand."""
    return await _life(serving, delivery, sees)


@router.post("/v1/deliveries/{delivery}:resend", dependencies=ACT, openapi_extra=BEARER,
             responses=ACTED)
async def resend(
    serving: Here, delivery: DeliveryId, asked: Resend, sees: Annotated[bool, Depends(may_see_persons)]
) -> DeliveryLife:
    """Send a delivery again that is failed, expired, held back or unknown; queued when answered.

    What is unknown may be out already: whoever sends it again decides that.
    """
    return await _act(serving, delivery, Event.RESEND, asked.reason, sees)


@router.post("/v1/deliveries:resend", dependencies=ACT, openapi_extra=BEARER,
             responses={**ERRORS, **responses("disk-full", "kafka-away")})  # fmt: skip
async def resend_many(serving: Here, asked: ResendMany) -> Resent:
    """Send those again that failed, expired or were held back, by a filter; queued when answered. Not what is
    unknown: that may be out, and is sent again one by one."""
    since = None if asked.since is None else asked.since.timestamp()
    wanted = Wanted(asked.state, asked.channel, asked.trigger, None, since)
    resent, left = await run_in_threadpool(
        serving.deliveries.send_again, wanted, asked.most, asked.reason, serving.now()
    )
    return Resent(**await serving.standing_soon(), resent=resent, left=left)


@router.post("/v1/deliveries/{delivery}:replay", dependencies=ACT, openapi_extra=BEARER,
             responses=ACTED)
async def replay(
    serving: Here, delivery: DeliveryId, asked: Resend, sees: Annotated[bool, Depends(may_see_persons)]
) -> DeliveryLife:
    """Send a webhook again that is sent or delivered, with the same id, for a receiver that has lost it;
    queued when answered."""
    found = await run_in_threadpool(serving.deliveries.life, delivery)
    if found is None:
        _unknown(delivery)
    if (problem := why_not(serving.shop.channels, found[0].channel)) is not None:
        raise Problem("wrong-state", *problem)
    return await _act(serving, delivery, Event.REPLAY, asked.reason, sees)


@router.post("/v1/deliveries:replay", dependencies=ACT, openapi_extra=BEARER,
             responses={**ERRORS, **responses("wrong-state", "disk-full", "kafka-away")})  # fmt: skip
async def replay_many(serving: Here, asked: Replay) -> Replayed:
    """Send webhooks of a stretch of time again that are sent or delivered, in order and with the same ids,
    for a receiver that has lost them; queued when answered. Go on with `next` until it is null."""
    if (problem := why_not(serving.shop.channels, asked.channel)) is not None:
        raise Problem("wrong-state", *problem)
    until = None if asked.until is None else asked.until.timestamp()
    wanted = Wanted(None, asked.channel, asked.trigger, None, asked.since.timestamp(), until)
    replayed, behind = await run_in_threadpool(
        serving.deliveries.replay, wanted, int(asked.cursor), asked.most, asked.reason, serving.now()
    )
    following = None if behind is None else str(behind)
    return Replayed(**await serving.standing_soon(), replayed=replayed, next=following)


@router.post("/v1/deliveries/{delivery}:settle", dependencies=ACT, openapi_extra=BEARER,
             responses=ACTED)
async def settle(
    serving: Here, delivery: DeliveryId, asked: Settle, sees: Annotated[bool, Depends(may_see_persons)]
) -> DeliveryLife:
    """Say of a delivery that is unknown that it was delivered, or failed."""
    return await _act(serving, delivery, _SETTLED[asked.state], asked.reason, sees)


@router.get("/v1/providers", dependencies=READ, openapi_extra=BEARER,
            responses={**ERRORS, **responses("store-away")})  # fmt: skip
async def providers(serving: Here) -> Providers:
    """Return how each channel's providers stand; none before they are open."""
    found = [provider_shown(one) for one in serving.sending.providers()]
    return Providers(**await serving.standing_soon(), providers=found)


async def _read(question: Callable[[], Result]) -> Result:
    return await run_in_threadpool(question)


async def _act(serving: Serving, delivery: str, event: Event, reason: str, sees: bool) -> DeliveryLife:
    try:
        await run_in_threadpool(serving.deliveries.act, delivery, event, reason, serving.now())
    except KeyError:
        _unknown(delivery)
    except Impossible as error:
        raise Problem("wrong-state", str(error), "GET /v1/deliveries/{id} shows its life") from None
    return await _life(serving, delivery, sees)


async def _life(serving: Serving, delivery: str, sees: bool) -> DeliveryLife:
    found = await run_in_threadpool(serving.deliveries.life, delivery)
    if found is None:
        _unknown(delivery)
    one, attempts, acts = found
    return DeliveryLife(
        **await serving.standing_soon(), delivery=delivery_shown(one),
        attempts=[attempt_shown(each, sees) for each in attempts],
        by_hand=[act_shown(act) for act in acts],
        withheld=[] if sees else ["reference"],
    )  # fmt: skip


def _unknown(delivery: str) -> NoReturn:
    refuse("unknown-delivery", f"there is no delivery '{delivery}'", "GET /v1/deliveries lists them")
