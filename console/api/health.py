"""Whether the process lives, and whether it is ready to be asked."""

from __future__ import annotations

import datetime as dt

import redis
from fastapi import APIRouter
from pydantic import BaseModel, Field

from console.problems import Problem, responses
from console.serving import Here, moment

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    status: str = Field(examples=["alive"])


class PartitionReady(BaseModel):
    """How far a partition of the store is."""

    as_of: dt.datetime | None = Field(examples=["2026-03-01T09:00:00Z"])
    lag_ms: int = Field(examples=[0])


class Ready(BaseModel):
    status: str = Field(examples=["ready"])
    lag_ms: int = Field(examples=[0])
    partitions: list[PartitionReady] = Field(description="in their order")


@router.get("/healthz")
async def alive() -> Alive:
    """Say that the process answers."""
    return Alive(status="alive")


@router.get("/readyz", responses=responses("not-ready", "store-away", "kafka-away", "stopping"))
def ready(serving: Here) -> Ready:
    """Say whether rows are taken and the store answers, and how far it is; 503 with the reason if not."""
    serving.work.check_current()
    try:
        heads = serving.heads()
    except redis.RedisError as error:
        raise Problem(
            "store-away", f"the profile store does not answer ({type(error).__name__})",
            "what is sent in is kept in the log; the store is written when it is back",
        ) from None  # fmt: skip
    clocks = [head.clock for head in heads]
    partitions = [
        PartitionReady(as_of=moment(clock) if clock > 0 else None, lag_ms=serving.late_ms(clock))
        for clock in clocks
    ]
    return Ready(status="ready", lag_ms=serving.standing(heads)["lag_ms"], partitions=partitions)
