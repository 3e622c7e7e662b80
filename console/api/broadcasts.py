"""``/v1/broadcasts``: how far each one is. One is paused, stopped and let go on by its switch."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from app.life.broadcasts import broadcasts, dates_of, stands
from console.access import BEARER, reads
from console.api.deliveries import ERRORS
from console.problems import refuse, responses
from console.serving import Answer, Here, Serving, moment
from rules.suggest import suggest
from sinks.deliveries.life import State
from sinks.deliveries.listing import Wanted
from triggers.trigger import Trigger

router = APIRouter(tags=["deliveries"])
READ = [Depends(reads)]
Name = Annotated[str, Path(description="of a trigger with dates", examples=["spring_sale"])]


class PaceShown(BaseModel):
    """So many messages in any stretch of a length."""

    most: int = Field(examples=[600])
    within: str = Field(examples=["1m"])


class BroadcastShown(BaseModel):
    """A broadcast: its dates, and its messages counted, each in one state."""

    name: str = Field(examples=["spring_sale"])
    title: str
    status: str = Field(description="of its trigger", examples=["live"])
    at: list[dt.datetime] = Field(description="when it falls due")
    next: dt.datetime | None = Field(description="the first of them that is to come; null: it is over")
    switch: str = Field(
        description="what to name at POST /v1/switches to stop it, pause it or let it go on",
        examples=["trigger/spring_sale"],
    )
    stands: Literal["on", "off", "paused"] = Field(description="by its switch, its channel's, everything's")
    pace: PaceShown | None = Field(description="null: as fast as its providers take them")
    waiting: int = Field(description="queued, or on their way")
    sent: int = Field(description="taken over by a provider")
    delivered: int
    failed: int
    expired: int
    held_back: int
    unknown: int = Field(description="of which nobody knows whether they are out")
    last: dt.datetime | None = Field(
        description="when the last of what waits leaves, at its pace; null: none waits, or all are paused"
    )


class Broadcasts(Answer):
    broadcasts: list[BroadcastShown]


class BroadcastAnswer(Answer):
    broadcast: BroadcastShown


@router.get("/v1/broadcasts", dependencies=READ, openapi_extra=BEARER, responses=ERRORS)
async def listed(serving: Here) -> Broadcasts:
    """Return every broadcast, the triggers whose schedule names dates: when, and how far it is."""
    found = [await run_in_threadpool(_shown, serving, *one) for one in broadcasts(serving.shop).items()]
    return Broadcasts(**await serving.standing_soon(), broadcasts=found)


class ReachShown(BaseModel):
    """Whom a broadcast would reach if it fell due at a minute, and nothing came until then. Each customer of
    the audience is counted once: act, held or refused."""

    name: str = Field(examples=["spring_sale"])
    status: str = Field(description="of its trigger; it is counted as if it were live", examples=["shadow"])
    at: dt.datetime = Field(description="the minute: the one behind what is counted")
    audience: int = Field(description="customers for whom its rule is true", examples=[35648])
    act: int = Field(description="whom every guard lets pass", examples=[20411])
    held: int = Field(description="decided again when quiet hours end")
    refused: dict[str, int] = Field(
        description="by the first guard that refuses", examples=[{"consent": 12876, "cap": 2361}]
    )


class ReachAnswer(Answer):
    reach: ReachShown


@router.post("/v1/broadcasts/{name}:count", dependencies=READ, openapi_extra=BEARER,
             responses={**ERRORS, **responses("unknown-broadcast", "busy", "store-away")})  # fmt: skip
async def count(serving: Here, name: Name) -> ReachAnswer:
    """Return how many a broadcast would reach if it fell due now, and how many each guard would spare.

    The engine decides it and keeps nothing of it. Whom the channel cannot reach is not known before it is
    sent.
    """
    trigger = _found(serving, name)
    found = await serving.answers.reach(name)
    refused = dict(found.guards)
    held = found.outcomes.get("held", 0)
    if held:  # they are quiet hours' too, beside those that these refuse
        refused["quiet_hours"] -= held
    shown = ReachShown(
        name=name, status=trigger.status, at=moment(found.minute), audience=found.audience,
        act=found.outcomes.get("act", 0), held=held,
        refused={guard: many for guard, many in refused.items() if many},
    )  # fmt: skip
    return ReachAnswer(**serving.standing_at(found.minute - 1, found.steps), reach=shown)


@router.get("/v1/broadcasts/{name}", dependencies=READ, openapi_extra=BEARER,
            responses={**ERRORS, **responses("unknown-broadcast")})  # fmt: skip
async def one(serving: Here, name: Name) -> BroadcastAnswer:
    """Return one broadcast."""
    shown = await run_in_threadpool(_shown, serving, name, _found(serving, name))
    return BroadcastAnswer(**await serving.standing_soon(), broadcast=shown)


def _found(serving: Serving, name: str) -> Trigger:
    found = broadcasts(serving.shop)
    if name not in found:
        hint = suggest(name, found, "trigger with dates ('on' of its schedule)")
        refuse("unknown-broadcast", f"there is no broadcast '{name}'", hint)
    return found[name]


def _shown(serving: Serving, name: str, trigger: Trigger) -> BroadcastShown:
    found = serving.deliveries.counts(Wanted(trigger=name), {})
    states = Counter[str]()
    for count in found:
        states[count.state] += count.deliveries
    last = max((count.last for count in found if count.last is not None), default=None)
    dates, pace = dates_of(trigger, serving.shop.settings.zone), trigger.action.pace
    return BroadcastShown(
        name=name, title=trigger.title, status=trigger.status, at=[moment(minute) for minute in dates],
        next=next((moment(minute) for minute in dates if minute * 60 > serving.now()), None),
        switch=f"trigger/{name}", stands=stands(name, trigger, serving.sending.stopped()),
        pace=None if pace is None else PaceShown(most=pace.most, within=pace.within),
        waiting=states[State.QUEUED] + states[State.CLAIMED], sent=states[State.SENT],
        delivered=states[State.DELIVERED], failed=states[State.FAILED], expired=states[State.EXPIRED],
        held_back=states[State.HELD_BACK], unknown=states[State.UNKNOWN],
        last=None if last is None else dt.datetime.fromtimestamp(last, dt.UTC),
    )  # fmt: skip
