"""``/v1/track`` and its kin: the shape of Segment's HTTP API, so that its trackers can point here."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Callable
from typing import Any

import xxhash
from fastapi import APIRouter, Request
from pydantic import Field

from console.access import TRACKER, check, given_key
from console.api.sources import ERRORS, IdempotencyKey, Taken, request_name, take
from console.bodies import JSON, MOST, check_depth, media_type, read_body
from console.problems import Problem, refuse
from console.serving import Here
from streams.cdc.change import Refused
from streams.contract.source import CALLS
from streams.message import Message
from streams.segment import BATCHES, SOURCE, calls_of, write_key

router = APIRouter(tags=["trackers"])
_CALL: dict[str, Any] = {
    "userId": "M1", "messageId": "3d1c8a0e-4f3b-4d55-9a55-0e6f0a4f7d10",
    "timestamp": "2026-03-01T01:00:00.000Z",
}  # fmt: skip
_EXAMPLES: dict[str, dict[str, Any]] = {
    "track": {**_CALL, "event": "Product Viewed", "properties": {"category": "鞋", "price": 399.00}},
    "identify": {**_CALL, "traits": {"city": "上海"}},
    "page": {**_CALL, "name": "Home", "properties": {"path": "/"}},
    "screen": {**_CALL, "name": "Home"},
    "group": {**_CALL, "groupId": "G1"},
    "alias": {**_CALL, "previousId": "device-1"},
}
_EXAMPLES["batch"] = _EXAMPLES["import"] = {"batch": [{"type": "track", **_EXAMPLES["track"]}]}


class Tracked(Taken):
    """What became of the calls; ``success`` is what trackers look for."""

    success: bool = Field(examples=[True])


def _endpoint(path: str) -> Callable[..., Any]:
    async def endpoint(serving: Here, request: Request, idempotency_key: IdempotencyKey = None) -> Tracked:
        given = given_key(request)
        if given is not None:
            check(request, "write", given)  # before the body is read
        serving.work.check_ready()
        body = await _body(request)
        key = check(request, "write", given or write_key(body))
        name = request_name(request, key, idempotency_key)
        calls = _calls(body, path, _ids(name))
        for _, call, event in calls:
            serving.note_call(call, event)
        place = f"segment/{serving.view.mark(body)}"
        messages = [
            Message(SOURCE, f"{place}/{number}", call) for number, (call, _, _) in enumerate(calls, start=1)
        ]
        taken = await take(serving, messages, name)
        return Tracked(success=True, **taken)

    return endpoint


async def _body(request: Request) -> bytes:
    if media_type(request) not in JSON:
        refuse("unsupported-media", f"Content-Type is {media_type(request)}", "say application/json")
    body = await read_body(request)
    check_depth(body)
    return body


def _ids(name: str | None) -> Callable[[], str]:
    """Return what makes ids for calls that bring none; those of a named request are the same when it comes
    again, so that its calls count once also where its answer is not kept."""
    if name is None:
        return lambda: str(uuid.uuid4())
    numbers = itertools.count(1)
    return lambda: xxhash.xxh3_128_hexdigest(f"{name} {next(numbers)}".encode())


def _calls(body: bytes, path: str, new_id: Callable[[], str]) -> list[tuple[bytes, str, str | None]]:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    try:
        calls = calls_of(body, path, now, new_id)
    except Refused as reason:
        raise Problem("malformed-body", reason.problem, reason.hint) from None
    if len(calls) > MOST:
        refuse("body-too-large", f"it holds more than {MOST:,} calls", "send several smaller requests")
    return calls


for _path in (*CALLS, *BATCHES):
    router.add_api_route(
        f"/v1/{_path}", _endpoint(_path), methods=["POST"], name=_path, response_model=Tracked,
        summary=f"Take calls of {_path}" if _path in BATCHES else f"Take one {_path} call",
        description="In the shape of Segment's HTTP API; durable when answered.", responses=ERRORS,
        openapi_extra={
            **TRACKER,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}, "example": _EXAMPLES[_path]}},
            },
        },
    )  # fmt: skip
