"""``POST /v1/receipts/{channel}``: what providers call back with, and receipts that somebody else brings."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from console.access import SENDER, writes
from console.bodies import check_depth, read_body
from console.problems import Problem, refuse, responses
from console.serving import Answer, Here, Serving
from sinks.channels.callback_kinds import reader_of, takes_callbacks
from sinks.channels.callbacks import NotSigned
from sinks.channels.provider import Receipt
from sinks.channels.settings import ProviderSettings
from streams.errors import InputError

MOST = 1000  # receipts of a request
_HINT = "write names as channels.yaml has them"  # which are not told: anybody may ask here
router = APIRouter(tags=["deliveries"])
ERRORS = responses(
    "malformed-body", "key-missing", "scope-missing", "not-signed", "unknown-channel", "body-too-large",
    "unsupported-media", "invalid-request", "not-ready", "busy", "stopping", "disk-full",
    "kafka-away", "store-away",
)  # fmt: skip


class GivenReceipt(BaseModel):
    """What became of a message, or what a customer answered."""

    model_config = ConfigDict(extra="forbid")

    reference: str | None = Field(
        default=None, max_length=200, description="the provider's name for the message, or the delivery's id"
    )
    state: Literal["delivered", "failed", "replied", "unsubscribed"]
    at: AwareDatetime | None = Field(default=None, description="when it happened, if that is known")
    code: str = Field(default="", max_length=100, description="the provider's own")
    reason: str = Field(default="", max_length=1000)
    address: str = Field(default="", max_length=200, description="of the customer who answered")
    text: str = Field(default="", max_length=10_000, description="the answer")

    @model_validator(mode="after")
    def _names_somebody(self) -> GivenReceipt:
        if self.reference is None and (self.state in ("delivered", "failed") or not self.address):
            raise ValueError("it has no reference, so nobody knows whose it is")
        return self

    def receipt(self) -> Receipt:
        """Return it as providers give it."""
        at = None if self.at is None else self.at.timestamp()
        return Receipt(self.reference, self.state, at, self.code, self.reason, self.address, self.text)


class ReceiptsTaken(Answer):
    """The receipts are on disk; those that no delivery is known for yet are kept for a week."""

    accepted: int = Field(examples=[1])


_LIST = TypeAdapter(Annotated[list[GivenReceipt], Field(max_length=MOST)])


def _described() -> dict[str, Any]:
    example = [{"reference": "4f2a", "state": "delivered", "at": "2026-03-01T09:00:00Z"}]
    schema = {"type": "array", "items": GivenReceipt.model_json_schema()}
    content = {
        "application/json": {"schema": schema, "example": example},
        "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
    }
    security = [*SENDER["security"], {}]  # without a key, for what providers sign
    return {"security": security, "requestBody": {"required": True, "content": content}}


@router.post(
    "/v1/receipts/{channel}", openapi_extra=_described(), responses=ERRORS, response_model=ReceiptsTaken
)
async def take_receipts(
    serving: Here, request: Request,
    channel: Annotated[str, Path(description="of channels.yaml", examples=["sms"])],
    provider: Annotated[
        str | None,
        Query(description="its name; the channel's first that calls back where absent, else its first"),
    ] = None,
) -> Any:  # fmt: skip
    """Take receipts and answers of customers; on disk when answered.

    What aliyun, tencent and twilio call back with needs no key: their signature, or the token of the address,
    is checked, and they get the answer that they want to hear. Of other providers it is a JSON list of up to
    1,000 receipts, with a key of scope write.
    """
    settings = _provider(serving, channel, provider)
    lane = f"{channel}/{settings.called}"
    if takes_callbacks(settings):
        return await _take_callback(serving, request, lane, settings)
    await writes(request)
    body = await read_body(request)
    check_depth(body)
    try:
        given = _LIST.validate_json(body)
    except ValidationError as error:
        told = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(told) from None
    await serving.sending.receive(lane, [one.receipt() for one in given])
    return ReceiptsTaken(**await serving.standing_soon(), accepted=len(given))


def _provider(serving: Serving, channel: str, name: str | None) -> ProviderSettings:
    channels = serving.shop.channels
    if channel not in channels:
        refuse("unknown-channel", f"there is no channel '{channel}'", _HINT)
    declared = channels[channel].providers
    if name is None:
        return next((one for one in declared if takes_callbacks(one)), declared[0])
    for one in declared:
        if one.called == name:
            return one
    return refuse("unknown-channel", f"channel '{channel}' has no provider '{name}'", _HINT)


async def _take_callback(
    serving: Serving, request: Request, lane: str, settings: ProviderSettings
) -> Response:
    body = await read_body(request)
    reader = await run_in_threadpool(reader_of, settings)
    try:
        found = reader.receipts_of(body, request.headers, _called(request), settings, os.environ)
    except NotSigned as error:
        hint = "see docs/channels/cloud-sms.md: the address has a token, or the account's token signs it"
        raise Problem("not-signed", str(error), hint) from None
    except InputError as error:
        raise Problem("malformed-body", error.problem, error.hint) from None
    await serving.sending.receive(lane, found)
    media, answer = reader.ANSWER
    return Response(answer, media_type=media)


def _called(request: Request) -> str:
    """Return the address as it was called, letter for letter: signatures are over it."""
    path, query = request.scope["raw_path"].decode("ascii"), request.scope["query_string"].decode("ascii")
    return f"{request.url.scheme}://{request.url.netloc}{path}" + (f"?{query}" if query else "")
