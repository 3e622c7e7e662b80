"""``/v1/triggers/{name}/results``: what a trigger has brought, against those whom it never reaches."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from app.life.goal import goal_of
from console.access import BEARER, reads
from console.api.triggers import check_known
from console.problems import Problem, refuse, responses
from console.serving import Here, Serving, moment
from sinks.history.errors import Away

router = APIRouter(tags=["decisions"], dependencies=[Depends(reads)])


class Aim(BaseModel):
    """What the trigger is to bring about."""

    source: str = Field(examples=["orders"])
    where: str | None = Field(examples=['status == "paid"'])
    within: str = Field(examples=["7d"])
    value: str | None = Field(description="a column of the source", examples=["amount"])


class Group(BaseModel):
    """Customers whose windows are over; values in the unit of the goal's column (money in minor units)."""

    customers: int = Field(examples=[1204])
    converted: int = Field(description="of how many a row counts", examples=[96])
    rows: int = Field(description="that count", examples=[102])
    value: int = Field(description="of these rows together", examples=[1492960])
    rate: float | None = Field(description="converted / customers", examples=[0.0797])
    value_each: float | None = Field(description="value / customers", examples=[1240.0])


class Interval(BaseModel):
    """A difference, reached less held out, and between which two it lies with 95 % confidence."""

    difference: float = Field(examples=[0.0346])
    low: float = Field(examples=[-0.0121])
    high: float = Field(examples=[0.0642])


class Results(BaseModel):
    """What was brought, as far as history has been copied."""

    trigger: str = Field(examples=["win_back"])
    goal: Aim
    as_of: dt.datetime | None = Field(
        description="the minute up to whose end all is counted; null before anything was copied"
    )
    reached: Group = Field(description="whom hold-out lets pass, whatever the guards behind it say")
    held_out: Group
    open: int = Field(description="customers whose windows are not over", examples=[38])
    acts: int = Field(description="decisions to act", examples=[1310])
    converted: int = Field(description="of how many of them a row counts", examples=[104])
    rate: Interval | None = Field(description="Newcombe's hybrid score; null where a group is empty")
    value: Interval | None = Field(description="Welch's t; null where there is too little to tell")


Moment = Annotated[dt.datetime | None, Query(description="with an offset, or in UTC")]


@router.get(
    "/v1/triggers/{name}/results", openapi_extra=BEARER,
    responses=responses("key-missing", "scope-missing", "unknown-trigger", "invalid-request", "not-here",
                        "history-away"),
)  # fmt: skip
async def results(
    serving: Here, name: str, since: Moment = None, until: Moment = None
) -> Results:
    """Return what a trigger with a goal has brought, of its decisions in [since, until)."""
    check_known(serving, name)
    goal = goal_of(serving.shop, name)
    body = await run_in_threadpool(_counted, serving, name, _minute(since), _minute(until))
    return Results(trigger=name, goal=Aim(**goal.model_dump()), **body)


def _counted(serving: Serving, name: str, since: int | None, until: int | None) -> dict[str, Any]:
    """Count in history; return results as `Results` has them. Raises Problem and InputError."""
    from app.life.results import results_of, written  # they load pandas and scipy, when first asked

    if serving.history is None:
        refuse("not-here", "history is off here, and goals are counted in it",
               "take 'history = false' out of tintype.toml, and start again")  # fmt: skip
    try:
        with serving.history() as history:
            found = results_of(history, serving.shop, name, since, until)
    except Away as error:
        raise Problem("history-away", f"{error.where}: {error.problem}", error.hint) from None
    return written(found) | {"as_of": moment(found.as_of) if found.as_of >= 0 else None}


def _minute(asked: dt.datetime | None) -> int | None:
    if asked is None:
        return None
    return int((asked if asked.tzinfo else asked.replace(tzinfo=dt.UTC)).timestamp()) // 60
