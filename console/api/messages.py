"""``/v1/profiles/{customer}/messages``: a customer's inbox, for the shop's server and for their own page."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from console.access import BEARER, makes_tokens, may_go_on
from console.api.profiles import find_one
from console.inbox_access import INBOX, Opened, opened
from console.inbox_stream import events
from console.news import MOST as MOST_STREAMS
from console.news import News
from console.plain import Plain
from console.problems import refuse, responses
from console.serving import Answer, Here, Serving, written
from console.tokens import Bearer, Tokens
from sinks.inbox.inbox import Contents, Inboxes, contents
from sinks.inbox.message import InboxMessage
from sinks.inbox.names import inbox_key
from sinks.inbox.paging import Order, page
from sinks.store.store import Head

MOST = 100  # messages of a page
_TOKEN_SECONDS, _LONGEST = 3600, 86_400
TEXTS = ("title", "text", "link")
router = APIRouter(tags=["messages"])
often = APIRouter(tags=["messages"], route_class=Plain)
_EVENTS = {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
ERRORS = responses(
    "key-missing", "token-over", "scope-missing", "unknown-customer", "invalid-request", "store-away"
)
Customer = Annotated[
    str, Path(description="type:value, URL-encoded, or the id; `me` with a token", examples=["member:M1"])
]
MessageId = Annotated[str, Path(description="the decision's", examples=["9d0c1f..."])]


class Message(BaseModel):
    """A message of an inbox. Title, text and link may hold what is personal: keys without scope personal get
    null."""

    id: str = Field(description="the decision's", examples=["9d0c1f..."])
    title: str | None
    text: str | None = Field(description="to be shown as it is, never as HTML", examples=["好久不见！"])
    link: str | None = Field(description="where it leads; empty for nowhere")
    trigger: str = Field(examples=["win_back"])
    priority: int
    created: dt.datetime
    expires: dt.datetime = Field(description="from when it is not shown")
    read: dt.datetime | None


class Messages(Answer):
    messages: list[Message]
    unread: int = Field(description="of the whole inbox", examples=[2])
    change: str = Field(description="of the inbox: Last-Event-ID for the stream to go on behind this answer")
    next: str | None = Field(description="the cursor to go on with; null at the end")
    withheld: list[str] = Field(default=[], description="parts that a key of scope personal sees")


class MarkedMessages(Answer):
    marked: int = Field(description="messages that were not so before", examples=[1])
    unread: int


class InboxToken(BaseModel):
    """A token for one customer's inbox. Give it to their page; it is kept nowhere."""

    token: str = Field(examples=["tti_..."])
    customer: str
    expires: dt.datetime


@often.get(
    "/v1/profiles/{customer:path}/messages", openapi_extra=INBOX, responses=ERRORS, response_model=Messages
)  # fmt: skip
async def messages(
    serving: Here, request: Request, customer: Customer,
    order: Annotated[Order, Query(description="newest first, or by priority")] = "newest",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
) -> Response:  # fmt: skip
    """Return a customer's messages, without those dismissed or over, and how many are unread."""
    whose = await opened(request, customer, "read")
    found, heads = await _read(serving, whose)
    try:
        some, behind = page(found.visible, order, limit, cursor)
    except ValueError:
        refuse("invalid-request", f"query.cursor: '{cursor}' is none", "give `next` of the page before")
    return written({
        **serving.standing(heads), "messages": [_shown(one, whose.sees) for one in some],
        "unread": found.unread, "change": str(found.change), "next": behind,
        **({} if whose.sees else {"withheld": TEXTS}),
    })  # fmt: skip


@router.get(
    "/v1/profiles/{customer:path}/messages/stream", openapi_extra=INBOX,
    responses={**ERRORS, **responses("store-away", "busy"), 200: _EVENTS},
    response_class=StreamingResponse,
)  # fmt: skip
async def stream(serving: Here, request: Request, customer: Customer) -> StreamingResponse:
    """Stream an inbox's changes as server-sent events `inbox` with `messages` and `unread`.

    `Last-Event-ID`, which the `change` of a list is too, goes on where it was; a dismissed message comes as
    its `id` and `dismissed`. `reset`: list the inbox anew. Comments keep the connection alive; it ends with
    the token, or when the key is revoked.
    """
    whose = await opened(request, customer, "read")
    last = request.headers.get("last-event-id")
    if last is not None and not (last.isdecimal() and len(last) < 19):
        refuse("invalid-request", f"Last-Event-ID: '{last[:40]}' is none", "send the id of an event, or none")
    news: News = request.app.state.news
    if news.is_full:
        refuse("busy", f"{MOST_STREAMS:,} streams are open", "try again in a moment, or list the inbox")

    async def read() -> Contents:
        return (await _read(serving, whose))[0]

    found: AsyncIterator[bytes] = events(
        news, whose.customer, read, lambda one: _event(one, whose.sees),
        None if last is None else int(last), whose.until,
        may_go_on(request) if whose.until is None else lambda: True, serving.now,
    )  # fmt: skip
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold events back
    return StreamingResponse(found, media_type="text/event-stream", headers=headers)


@router.post("/v1/profiles/{customer:path}/messages:read", openapi_extra=INBOX, responses=ERRORS)
async def read_all(serving: Here, request: Request, customer: Customer) -> MarkedMessages:
    """Mark all messages of an inbox as read."""
    whose = await opened(request, customer, "write")
    return await _mark(serving, whose, "read", None)


@router.post("/v1/profiles/{customer:path}/messages/{message}:read", openapi_extra=INBOX,
             responses={**ERRORS, **responses("unknown-customer", "unknown-message")})  # fmt: skip
async def read_one(
    serving: Here, request: Request, customer: Customer, message: MessageId
) -> MarkedMessages:
    """Mark a message as read; again it changes nothing."""
    whose = await opened(request, customer, "write")
    return await _mark(serving, whose, "read", message)


@router.post("/v1/profiles/{customer:path}/messages/{message}:dismiss", openapi_extra=INBOX,
             responses={**ERRORS, **responses("unknown-customer", "unknown-message")})  # fmt: skip
async def dismiss(
    serving: Here, request: Request, customer: Customer, message: MessageId
) -> MarkedMessages:
    """Take a message out of the inbox for good; again it changes nothing."""
    whose = await opened(request, customer, "write")
    return await _mark(serving, whose, "dismissed", message)


@router.post(
    "/v1/profiles/{customer:path}/messages:token", openapi_extra=BEARER, dependencies=[Depends(makes_tokens)],
    responses=responses("key-missing", "scope-missing", "unknown-customer", "invalid-request"),
)  # fmt: skip
def make_token(
    serving: Here, request: Request, customer: Customer,
    seconds: Annotated[int, Query(ge=60, le=_LONGEST, description="how long it holds")] = _TOKEN_SECONDS,
) -> InboxToken:  # fmt: skip
    """Make a token with which a page reads this one customer's inbox, and nothing else; for a key of scope
    inbox, which stays on the shop's server."""
    tokens: Tokens = request.app.state.tokens
    identity, until = find_one(serving, customer), int(serving.now()) + seconds
    token = tokens.make(Bearer(identity, until))
    return InboxToken(token=token, customer=identity.hex(), expires=dt.datetime.fromtimestamp(until, dt.UTC))


def _inboxes(serving: Serving) -> Inboxes:
    settings = serving.shop.settings
    return Inboxes(serving.store.client, settings.name, settings.partitions)


async def _read(serving: Serving, whose: Opened) -> tuple[Contents, list[Head]]:
    settings = serving.shop.settings
    key = inbox_key(settings.name, settings.partitions, whose.customer)
    told = await serving.gathered.ask(hashes=[key])
    return contents(told.hashes[0], serving.now()), told.heads


async def _mark(
    serving: Serving, whose: Opened, what: Literal["read", "dismissed"], message: str | None
) -> MarkedMessages:
    marked = await run_in_threadpool(
        _inboxes(serving).mark, whose.customer, what, serving.now(), [] if message is None else [message]
    )
    if message is not None and not marked.found:
        refuse("unknown-message", f"there is no message {message}", "list the inbox: it may be over")
    found, heads = await _read(serving, whose)
    return MarkedMessages(**serving.standing(heads), marked=marked.changed, unread=found.unread)


def _shown(one: InboxMessage, sees: bool) -> dict[str, Any]:
    """Return a message as `Message` has it."""
    shown = one.shown
    return {
        "id": one.id, "title": shown.title if sees else None, "text": shown.text if sees else None,
        "link": shown.link if sees else None, "trigger": shown.trigger, "priority": one.priority,
        "created": _moment(one.created), "expires": _moment(one.expires),
        "read": _moment(one.read) if one.read else None,
    }  # fmt: skip


def _event(one: InboxMessage, sees: bool) -> dict[str, Any]:
    return {"id": one.id, "dismissed": True} if one.dismissed else _shown(one, sees)


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
