"""Errors of the API as problem documents (RFC 9457), every one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import redis
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from app.service import Stopped
from streams.errors import InputError
from streams.log.log import Unwritable

MEDIA_TYPE = "application/problem+json"
# kind: (status, title). `GET /problems/KIND` says the same in words.
KINDS: dict[str, tuple[int, str]] = {
    "malformed-body": (400, "The body cannot be read"),
    "key-missing": (401, "A key is needed"),
    "key-unknown": (401, "This key is not known"),
    "token-over": (401, "This token is over"),
    "scope-missing": (403, "This key may not do that"),
    "not-signed": (403, "This call cannot be shown to come from the provider"),
    "not-found": (404, "There is nothing here"),
    "unknown-customer": (404, "No customer is known by this reference"),
    "unknown-message": (404, "There is no such message"),
    "unknown-delivery": (404, "There is no such delivery"),
    "unknown-broadcast": (404, "There is no such broadcast"),
    "unknown-coupon": (404, "There is no such pool of coupons, or no such code"),
    "unknown-channel": (404, "There is no such channel or provider"),
    "unknown-slot": (404, "There is no such recommendation slot"),
    "unknown-source": (404, "There is no such source"),
    "unknown-trigger": (404, "There is no such trigger"),
    "method-not-allowed": (405, "This method is not for this path"),
    "wrong-state": (409, "The delivery's state does not allow it"),
    "cursor-gone": (410, "What is behind this cursor is not kept any more"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media": (415, "A body of this kind is not read"),
    "invalid-request": (422, "A part of the request is wrong"),
    "defect": (500, "This is a defect of Tintype"),
    "not-here": (501, "This form of the shop does not answer this"),
    "not-ready": (503, "The shop is not ready yet"),
    "store-away": (503, "The profile store does not answer"),
    "history-away": (503, "History does not answer"),
    "kafka-away": (503, "Kafka does not answer"),
    "disk-full": (503, "The log cannot be written"),
    "stopping": (503, "The service stops"),
    "busy": (503, "The service did not answer in time"),
}
_OF_STATUS = {404: "not-found", 405: "method-not-allowed"}
RETRY_SECONDS = 1  # of all 503: the causes are short


class Part(BaseModel):
    """One wrong part of a request."""

    where: str = Field(examples=["query.limit"])
    problem: str = Field(examples=["Input should be less than or equal to 1000"])
    hint: str = Field(examples=["see /docs"])


class ProblemDocument(BaseModel):
    """An error (RFC 9457). ``code`` is the last part of ``type``; ``message`` is for clients of Segment."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(examples=["/problems/unknown-customer"])
    title: str = Field(examples=["No customer is known by this reference"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["nobody is known by member:M999"])
    hint: str = Field(examples=["write type:value, or the id of 32 hex digits"])
    code: str = Field(examples=["unknown-customer"])
    message: str = Field(examples=["nobody is known by member:M999"])
    errors: list[Part] = []


class Problem(Exception):
    """An answer that is an error. kind: of `KINDS`; detail: what is wrong; hint: what to do."""

    def __init__(
        self, kind: str, detail: str, hint: str, errors: Sequence[Part] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kind, detail, hint)
        self.kind = kind
        self.status = KINDS[kind][0]
        self.document = ProblemDocument(
            type=f"/problems/{kind}", title=KINDS[kind][1], status=self.status, detail=detail, hint=hint,
            code=kind, message=detail, errors=list(errors),
        )  # fmt: skip
        self.headers = dict(headers or {})
        if self.status == 401:
            self.headers["WWW-Authenticate"] = 'Bearer realm="tintype"'
        if self.status == 503:
            self.headers["Retry-After"] = str(RETRY_SECONDS)


def responses(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI descriptions of the problems that a path may answer with."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status, title = KINDS[kind]
        told = f"{found[status]['description']}; {title.lower()}" if status in found else title
        found[status] = {
            "description": told,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
    return found


def install(app: FastAPI) -> None:
    """Let every error of the app be answered with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Unwritable, _unwritable)
    app.add_exception_handler(InputError, _input)
    app.add_exception_handler(Stopped, _stopped)
    app.add_exception_handler(redis.ConnectionError, _away)
    app.add_exception_handler(redis.TimeoutError, _away)
    app.add_exception_handler(Exception, _defect)


def _answer(problem: Problem) -> JSONResponse:
    return JSONResponse(
        problem.document.model_dump(exclude_defaults=True), problem.status, problem.headers, MEDIA_TYPE
    )


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return _answer(error)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    parts = [
        Part(where=".".join(map(str, one["loc"])), problem=one["msg"], hint="see /docs")
        for one in error.errors()
    ]
    malformed = any(one["type"] == "json_invalid" for one in error.errors())
    detail = "; ".join(f"{part.where}: {part.problem}" for part in parts)
    return _answer(
        Problem(
            "malformed-body" if malformed else "invalid-request",
            detail,
            "see /docs for what is expected",
            parts,
        )
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = _OF_STATUS.get(error.status_code, "invalid-request")
    path = request.url.path
    return _answer(
        Problem(kind, f"{request.method} {path}", "see /docs for the paths", headers=error.headers)
    )


async def _input(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InputError)
    part = Part(where=error.where, problem=error.problem, hint=error.hint)
    return _answer(Problem("invalid-request", f"{error.where}: {error.problem}", error.hint, [part]))


async def _unwritable(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Unwritable)
    return _answer(Problem("disk-full", error.problem, error.hint))


async def _stopped(_: Request, error: Exception) -> JSONResponse:
    return _answer(Problem("stopping", str(error), "try again in a moment"))


async def _away(_: Request, error: Exception) -> JSONResponse:
    return _answer(Problem("store-away", type(error).__name__, "try again in a moment; /readyz says more"))


async def _defect(_: Request, error: Exception) -> JSONResponse:
    hint = "the server's own output has the trace; report it"
    # The server ends the connection after it: say so, or the client's next request on it is lost.
    return _answer(Problem("defect", type(error).__name__, hint, headers={"Connection": "close"}))


def refuse(kind: str, detail: str, hint: str) -> NoReturn:
    """Answer with a problem."""
    raise Problem(kind, detail, hint)
