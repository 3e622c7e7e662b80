"""Whether the process lives, and whether it is ready to be asked."""

from __future__ import annotations

import redis
from fastapi import APIRouter
from pydantic import BaseModel, Field

from console.problems import Problem, responses
from console.serving import Here

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    status: str = Field(examples=["alive"])


class Ready(BaseModel):
    status: str = Field(examples=["ready"])
    lag_ms: int = Field(examples=[0])


@router.get("/healthz")
async def alive() -> Alive:
    """Say that the process answers."""
    return Alive(status="alive")


@router.get("/readyz", responses=responses("not-ready", "store-away", "stopping"))
def ready(serving: Here) -> Ready:
    """Say whether the log is caught up with and the store answers; 503 with the reason if not."""
    serving.check_current()
    try:
        standing = serving.standing()
    except redis.RedisError as error:
        raise Problem(
            "store-away", f"the profile store does not answer ({type(error).__name__})",
            "what is sent in is kept in the log; the store is written when it is back",
        ) from None  # fmt: skip
    return Ready(status="ready", lag_ms=standing["lag_ms"])
