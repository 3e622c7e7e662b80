"""``/v1/switches``: what is stopped or paused; stopping or pausing everything, a channel or a trigger."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from app.sending.switches import name_for_people, name_in_log, refuse_to_pause
from console.access import BEARER, check_lets_go_on, sees_switches, stops
from console.api.deliveries import ERRORS, Reason
from console.keys import Key
from console.problems import responses
from console.serving import Answer, Here, Serving
from sinks.deliveries.records import Position
from streams.errors import InputError

router = APIRouter(tags=["deliveries"])


class Switch(BaseModel):
    model_config = ConfigDict(extra="forbid")
    what: str = Field(
        description="everything, channel/NAME or trigger/NAME", max_length=300, examples=["channel/sms"]
    )
    off: bool = Field(description="true stops it; false lets it go on, or pauses it")
    paused: bool = Field(default=False, description="true: what waits goes on waiting")
    reason: Reason


class Switches(Answer):
    off: list[str] = Field(description="what is switched off, by name", examples=[["channel/sms"]])
    paused: dict[str, str] = Field(
        description="what is paused, by name, and why", examples=[{"trigger/spring_sale": "the price"}]
    )


@router.get("/v1/switches", dependencies=[Depends(sees_switches)], openapi_extra=BEARER,
            responses=ERRORS)  # fmt: skip
async def switches(serving: Here) -> Switches:
    """Return what is switched off, and what is paused."""
    return await _switches(serving)


@router.post("/v1/switches", openapi_extra=BEARER,
             responses={**ERRORS, **responses("disk-full", "kafka-away")})  # fmt: skip
async def switch(serving: Here, asked: Switch, key: Annotated[Key, Depends(stops)]) -> Switches:
    """Stop everything, a channel or a trigger, pause it, or let it go on; on disk when answered, in force in
    a second.

    Stopped, what waited to be sent is held back, and what is decided is refused by `kill_switch`. Paused,
    what waits goes on waiting, and so does what is decided. Again it changes nothing but the record. A key of
    scope stop may stop and pause; to let go on takes one of scopes read and write.
    """
    what = name_in_log(serving.shop, asked.what)
    if asked.paused:
        if asked.off:
            raise InputError("body.paused", "is 'off' at once", "leave one of them out")
        refuse_to_pause(what, (await run_in_threadpool(serving.sending.stopped)).off)
    to: Position = "paused" if asked.paused else "off" if asked.off else "on"
    if to == "on":
        check_lets_go_on(key)
    await run_in_threadpool(serving.sending.switch, what, to, asked.reason, serving.now())
    return await _switches(serving)


async def _switches(serving: Serving) -> Switches:
    found = await run_in_threadpool(serving.sending.stopped)
    return Switches(
        **await serving.standing_soon(), off=[name_for_people(one) for one in found.off],
        paused={name_for_people(one): why for one, why in found.paused.items()},
    )  # fmt: skip
