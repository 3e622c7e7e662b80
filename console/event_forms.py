"""What came out, in the form that a request asks for: a stream or a batch of CloudEvents, or else a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from console.access import may_go_on
from console.bell import MOST
from console.event_stream import PAGE, EventPage, EventStreams, Read
from console.problems import refuse
from sinks.events.envelope import BATCH

STREAM = "text/event-stream"
FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page; or by `Accept` the same as CloudEvents: a batch of them, whose header Link "
        "has the next one, or a stream of server-sent events, each with the cursor behind it as id",
        "content": {
            BATCH: {"schema": {"type": "array", "items": {"type": "object"}}},
            STREAM: {"schema": {"type": "string"}},
        },
    }
}
_CURSOR = re.compile(r"[0-9.]{1,5000}")
# nginx would hold events back; no cache may keep what a key alone opens
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}


def as_events(request: Request, read: Read, cursor: str | None, limit: int) -> Response | None:
    """Return the answer with events if the request's Accept asks for them; None: it wants a page.

    read: events behind a cursor (None: from the oldest), up to a limit; blocking. Raises Problem, before a
    stream begins too.
    """
    asked = request.headers.get("accept", "").lower().split(",")
    kinds = {one.partition(";")[0].strip() for one in asked}
    if STREAM in kinds:
        return _stream(request, read, cursor)
    if BATCH in kinds:
        found = read(cursor, limit)
        url = request.url.include_query_params(cursor=found.next)
        body = b"[" + b",".join(event.structured() for _, event in found.events) + b"]"
        headers = {**_HEADERS, "Link": f'<{url.path}?{url.query}>; rel="next"'}
        return Response(body, media_type=BATCH, headers=headers)
    return None


def _stream(request: Request, read: Read, cursor: str | None) -> Response:
    last = request.headers.get("last-event-id")  # of a reader that comes back, to the address it had
    if last is not None and not _CURSOR.fullmatch(last):
        refuse("invalid-request", f"Last-Event-ID: '{last[:40]}' is none", "send the id of an event, or none")
    streams: EventStreams = request.app.state.streams
    if streams.bell.is_full:
        refuse("busy", f"{MOST} streams are open", "try again in a moment, or read pages by cursor")
    first = read(cursor if last is None else last, PAGE)
    found = streams.stream(read, first, may_go_on(request))
    return StreamingResponse(found, media_type=STREAM, headers=_HEADERS)


def pages_of(
    told: Callable[[str | None, int], tuple[list[Any], str]], event: Callable[[Any], tuple[str, Any]]
) -> Read:
    """Return what reads events: ``told`` gives things by cursor, ``event`` one's cursor and envelope."""

    def read(cursor: str | None, limit: int) -> EventPage:
        found, last = told(cursor, limit)
        return EventPage([event(one) for one in found], last)

    return read
