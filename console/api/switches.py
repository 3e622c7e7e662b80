"""``/v1/switches``: what is stopped, and stopping everything, a channel or a trigger at once."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from app.sending.switches import name_for_people, name_in_log
from console.access import BEARER, acts_by_hand, reads
from console.api.deliveries import ERRORS, Reason
from console.problems import responses
from console.serving import Answer, Here, Serving

router = APIRouter(tags=["deliveries"])


class Switch(BaseModel):
    model_config = ConfigDict(extra="forbid")
    what: str = Field(
        description="everything, channel/NAME or trigger/NAME", max_length=300, examples=["channel/sms"]
    )
    off: bool = Field(description="true stops it, false lets it go on")
    reason: Reason


class Switches(Answer):
    off: list[str] = Field(description="what is switched off, by name", examples=[["channel/sms"]])


@router.get("/v1/switches", dependencies=[Depends(reads)], openapi_extra=BEARER,
            responses=ERRORS)  # fmt: skip
async def switches(serving: Here) -> Switches:
    """Return what is switched off."""
    return await _switches(serving)


@router.post("/v1/switches", dependencies=[Depends(acts_by_hand)], openapi_extra=BEARER,
             responses={**ERRORS, **responses("disk-full", "kafka-away")})  # fmt: skip
async def switch(serving: Here, asked: Switch) -> Switches:
    """Stop everything, a channel or a trigger, or let it go on; on disk when answered, in force in a second.

    What waited to be sent is held back, and what is decided is refused by `kill_switch`. Again it changes
    nothing but the record.
    """
    what = name_in_log(serving.shop, asked.what)
    await run_in_threadpool(serving.sending.switch, what, asked.off, asked.reason, serving.now())
    return await _switches(serving)


async def _switches(serving: Serving) -> Switches:
    off = await run_in_threadpool(serving.sending.off)
    return Switches(**await serving.standing_soon(), off=[name_for_people(one) for one in off])
