"""``POST /v1/sources/{name}``: rows and change messages of one source, durable when answered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request
from pydantic import BaseModel, Field

from console.access import SENDER, writes
from console.bodies import LINES, media_type, messages_of, read_body
from console.keys import Key
from console.problems import refuse, responses
from console.serving import Answer, Here, Serving
from rules.suggest import suggest
from streams.contract.source import SEGMENT
from streams.message import Message

LONGEST_NAME = 255  # of an idempotency key
router = APIRouter(tags=["sources"])
ERRORS = responses(
    "malformed-body", "key-missing", "scope-missing", "body-too-large", "unsupported-media",
    "invalid-request", "not-ready", "busy", "stopping", "kafka-away", "not-here",
)  # fmt: skip
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=LONGEST_NAME,
        description="a name of this request: sent again, it gets the first one's answer and changes nothing",
    ),
]


class Rejected(BaseModel):
    """A message that was put aside; it can be mended and replayed (`tintype dead`)."""

    place: str = Field(description="http/BODY/NUMBER: the number of the row or line in the body")
    problem: str = Field(examples=["amount '12,5' is no decimal number"])
    hint: str = Field(examples=["write 12.5"])
    dead_letter: int | None = Field(
        description="its number; null in a cluster, where a worker gives it later", examples=[17]
    )


class Taken(Answer):
    """What became of the messages, durable by now."""

    accepted: int = Field(description="messages whose rows are in the log, or were already", examples=[2])
    counted: dict[str, int] = Field(
        description="messages that change no row, by kind", examples=[{"heartbeat": 1}]
    )
    rejected: list[Rejected]


def _body() -> dict[str, Any]:
    row = {
        "order_id": "A1",
        "member_id": "M1",
        "created_at": "2026-03-01 09:00",
        "amount": "12.50",
        "status": "paid",
    }
    content: dict[str, Any] = {"application/json": {"schema": {}, "example": [row]}}
    content |= {LINES[0]: {"schema": {"type": "string"}, "example": '{"order_id": "A1", "amount": 12.50}\n'}}
    return {**SENDER, "requestBody": {"required": True, "content": content}}


@router.post(
    "/v1/sources/{name}", openapi_extra=_body(), responses={**ERRORS, **responses("unknown-source")}
)  # fmt: skip
async def take_messages(
    serving: Here,
    request: Request,
    key: Annotated[Key, Depends(writes)],
    name: Annotated[str, Path(description="the source, as its file is named", examples=["orders"])],
    idempotency_key: IdempotencyKey = None,
) -> Taken:
    """Take rows, or change messages where the source's format is debezium, canal or maxwell.

    One JSON object, an array of them, or JSON lines; plain or gzip, up to 10 MB. Answered when everything is
    on disk. What breaks the source's contract is in `rejected`, and everything else is taken all the same.
    """
    _check_source(serving, name)
    serving.work.check_ready()
    body = await read_body(request)
    place = f"http/{serving.view.mark(body)}"  # the same body again: the same dead letters
    messages = [
        Message(name, f"{place}/{number}", value) for number, value in messages_of(body, media_type(request))
    ]
    return Taken(**await take(serving, messages, request_name(request, key, idempotency_key)))


def request_name(request: Request, key: Key, given: str | None) -> str | None:
    """Return what makes a request known when it comes again: two keys cannot meet in one name."""
    return None if given is None else f"{key.id} {request.url.path} {given}"


async def take(serving: Serving, messages: list[Message], name: str | None) -> dict[str, Any]:
    """Hand messages in and wait until they are on disk; return the fields of `Taken`."""
    found = await serving.work.take(messages, name)
    rejected = [
        Rejected(place=one.place, problem=one.problem, hint=one.hint, dead_letter=one.dead_letter)
        for one in found.rejected
    ]
    standing = await serving.standing_soon()
    return {**standing, "accepted": found.accepted, "counted": found.counted, "rejected": rejected}


def _check_source(serving: Serving, name: str) -> None:
    sources = serving.shop.sources
    if name not in sources:
        refuse("unknown-source", f"there is no source '{name}'", suggest(name, sources, "source"))
    if sources[name].format.type == SEGMENT:
        hint = f"send them to /v1/{sources[name].format.call} or /v1/batch"
        refuse("invalid-request", f"source '{name}' takes calls in the shape of Segment's API", hint)
