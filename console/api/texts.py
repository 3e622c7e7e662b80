"""``/v1/texts:preview``: how a template, or one that is being written, reads for real customers."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from app.texts_read import AskedTexts
from console.access import BEARER, handles_persons
from console.problems import Problem, responses
from console.serving import Answer, Here
from sinks.texts.words import Template
from streams.errors import InputError

MOST = 100  # customers that are named
router = APIRouter(tags=["deliveries"], dependencies=[Depends(handles_persons)])


class Asked(BaseModel):
    """What to read: a template that a trigger sends, or `words` in its place, as channels.yaml has them."""

    channel: str = Field(examples=["sms"])
    template: str = Field(examples=["welcome"])
    customers: list[str] = Field(
        default=[], max_length=MOST, description="references or ids; twenty whom it concerns when empty",
        examples=[["member:M1"]],
    )  # fmt: skip
    language: Literal["zh", "en"] | None = Field(
        default=None, description="all in this one; each customer's own when null"
    )
    words: Template | None = Field(default=None, description="a template that is being written")


class Reading(BaseModel):
    """A text for one customer; what is null is not there, or not known because it would be held back."""

    customer: str
    reference: str = Field(examples=["member:M1"])
    trigger: str = Field(examples=["welcome"])
    language: str = Field(examples=["zh"])
    title: str | None
    text: str | None = Field(examples=["【小店】欢迎入会！"])
    link: str | None
    held_back: str | None = Field(description="why", examples=["'name' is not known of this customer"])
    characters: int = Field(examples=[9])
    encoding: str | None = Field(description="of an SMS", examples=["UCS-2"])
    units: int | None = Field(examples=[9])
    parts: int | None = Field(description="messages that are charged", examples=[1])
    cost: str | None = Field(description="in the shop's currency, if a price is declared", examples=["0.05"])


class Readings(Answer):
    texts: list[Reading]


@router.post(
    "/v1/texts:preview", openapi_extra=BEARER,
    responses=responses("key-missing", "scope-missing", "invalid-request", "unknown-customer", "busy",
                        "not-ready", "store-away"),
)  # fmt: skip
async def preview(serving: Here, asked: Asked) -> Readings:
    """Return how a template reads for real customers, as it would be sent now. Nothing is sent, and no guard
    is asked.
    """
    known = await run_in_threadpool(serving.view.customers, asked.customers)
    for name, found in zip(asked.customers, known, strict=True):
        if found is None:
            hint = "write type:value, or the id of 32 hex digits"
            raise Problem("unknown-customer", f"nobody is known by {name}", hint)
    whom = [one.hex() for one in known if one is not None]
    wanted = AskedTexts(asked.channel, asked.template, whom, asked.language, asked.words)
    try:
        texts = await serving.answers.texts(wanted)
    except InputError as error:
        raise Problem("invalid-request", f"{error.where}: {error.problem}", error.hint) from None
    return Readings(**await serving.standing_soon(), texts=[Reading(**one) for one in texts])
