"""``/v1/triggers``: where each trigger stands in its life, and what it did in shadow."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from app.life.standing import Standing, standings
from console.access import BEARER, reads
from console.api.deliveries import ERRORS
from console.problems import refuse, responses
from console.serving import Answer, Here, Serving, moment
from rules.suggest import suggest
from triggers.life import Event, State, steps

router = APIRouter(tags=["decisions"], dependencies=[Depends(reads)])
Name = Annotated[str, Path(description="of its file in triggers/", max_length=300, examples=["win_back"])]


class ShadowDecisions(BaseModel):
    """What a rule decided in shadow, up to now."""

    decided: int = Field(description="all of them")
    act: int = Field(description="it would have sent")
    customers: int = Field(description="to how many")
    refused: dict[str, int] = Field(description="by guard", examples=[{"consent": 18}])
    held: int = Field(description="for the end of quiet hours, where it decided again")
    contradicted: int = Field(description="absences that were refuted later")


class InShadow(BaseModel):
    """That a trigger's rule, as it is now, has run in shadow."""

    since: dt.datetime | None = Field(description="from which minute on; null: from the first settings on")
    decisions: ShadowDecisions


class TriggerForecast(BaseModel):
    most: int
    within: str = Field(examples=["1h"])


class TriggerShown(BaseModel):
    """A trigger by the settings in force."""

    name: str = Field(examples=["win_back"])
    title: str
    owner: str
    status: State = Field(description="docs/triggers.md has what each means")
    since: dt.datetime | None = Field(
        description="from which minute on it has this status and this rule; null: from the first settings on"
    )
    version: str = Field(description="of its rule, as decisions have it")
    steps: list[Event] = Field(description="what can be done next: tintype triggers SHOP STEP NAME")
    shadow: InShadow | None = Field(description="null: this rule has not run there")
    was_live: bool = Field(description="whether this rule ever was, now included")
    forecast: TriggerForecast | None = Field(description="beyond it, it is switched off")
    off: bool = Field(description="whether it is switched off itself, by a person or its forecast")
    reason: str | None = Field(description="why it is; null where it is not")


class Triggers(Answer):
    triggers: list[TriggerShown]


class TriggerAnswer(Answer):
    trigger: TriggerShown


@router.get("/v1/triggers", openapi_extra=BEARER, responses=ERRORS)
def triggers(serving: Here) -> Triggers:
    """Return every trigger by name: where it stands, and what it did in shadow."""
    return Triggers(**serving.standing(), triggers=_shown(serving, list(serving.shop.triggers)))


@router.get("/v1/triggers/{name}", openapi_extra=BEARER,
            responses={**ERRORS, **responses("unknown-trigger")})  # fmt: skip
def trigger(serving: Here, name: Name) -> TriggerAnswer:
    """Return one trigger: where it stands, and what it did in shadow."""
    check_known(serving, name)
    (found,) = _shown(serving, [name])
    return TriggerAnswer(**serving.standing(), trigger=found)


def check_known(serving: Serving, name: str) -> None:
    """Raise Problem where there is no such trigger."""
    known = serving.shop.triggers
    if name not in known:
        refuse("unknown-trigger", f"there is no trigger '{name}'", suggest(name, known, "trigger"))


def _shown(serving: Serving, names: list[str]) -> list[TriggerShown]:
    found = []
    for one in standings(serving.triggers.known(), serving.shop, names):
        trigger = serving.shop.triggers[one.name]
        found.append(TriggerShown(
            name=one.name, title=trigger.title, owner=trigger.owner, status=State(one.status),
            since=_moment(one.since), version=one.version, steps=steps(State(one.status)),
            shadow=_in_shadow(one), was_live=one.was_live,
            forecast=None if one.forecast is None else TriggerForecast(**one.forecast.model_dump()),
            off=one.stopped is not None, reason=one.stopped,
        ))  # fmt: skip
    return found


def _in_shadow(one: Standing) -> InShadow | None:
    if one.shadow_since is None:
        return None
    decisions = ShadowDecisions(decided=one.shadow.decided, **vars(one.shadow))
    return InShadow(since=_moment(one.shadow_since), decisions=decisions)


def _moment(minute: int | None) -> dt.datetime | None:
    """Return a minute as a time; None of the first settings, which stand at minute 0."""
    return moment(minute) if minute else None
