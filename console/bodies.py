"""Reading the body of a request: its size, packing and depth are limited before anything looks into it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import msgspec
import numpy as np
from starlette.requests import Request

from console.problems import Problem, refuse
from streams.message import LARGEST_BYTES

DEEPEST = 64  # levels of arrays and objects
MOST = 50_000  # messages of one request
JSON = ("application/json", "text/plain", "")  # trackers in a browser post JSON as text/plain
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_GZIP = 16 + zlib.MAX_WBITS
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def media_type(request: Request) -> str:
    """Return the body's media type, lower case and without parameters; empty where none is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request) -> bytes:
    """Return the body, unpacked. Raises Problem where it is too large or packed in an unknown way."""
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip", ""):
        refuse("unsupported-media", f"Content-Encoding is {packing}", "send it plain or as gzip")
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > LARGEST_BYTES:
        raise _too_large()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BYTES:
            raise _too_large()
    return _unpacked(bytes(body)) if packing == "gzip" else bytes(body)


def _too_large() -> Problem:
    problem = f"it has more than {LARGEST_BYTES:,} bytes"
    return Problem("body-too-large", problem, "send several smaller requests")


def _unpacked(body: bytes) -> bytes:
    """Unpack gzip, also of several members, and stop at the limit: a small body may hold a huge one."""
    whole = bytearray()
    while body:
        unpack = zlib.decompressobj(_GZIP)
        try:
            whole += unpack.decompress(body, LARGEST_BYTES + 1 - len(whole))
        except zlib.error as error:
            raise Problem("malformed-body", f"it is no gzip ({error})", "pack it anew") from None
        if len(whole) > LARGEST_BYTES:
            raise _too_large()
        if not unpack.eof:
            refuse("malformed-body", "the gzip ends too early", "send it whole")
        body = unpack.unused_data
    return bytes(whole)


def check_depth(body: bytes) -> None:
    """Raise Problem where arrays and objects are nested too deeply for anyone's good."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    marks = np.frombuffer(_TEXT.sub(b"", body), dtype=np.uint8)
    steps = np.zeros(len(marks), dtype=np.int64)
    steps[(marks == ord("[")) | (marks == ord("{"))] = 1
    steps[(marks == ord("]")) | (marks == ord("}"))] = -1
    if steps.cumsum().max(initial=0) > DEEPEST:
        refuse("malformed-body", f"it is nested more than {DEEPEST} levels deep", "send flatter rows")


def messages_of(body: bytes, media: str) -> list[tuple[int, bytes]]:
    """Cut a body into (number from 1, bytes of one message); lines keep their line's number.

    A body of JSON is one object or an array; one of JSON lines has a message on every line that is not
    empty, and what is wrong with a line is that line's own matter. Raises Problem.
    """
    if media in LINES:
        found = list(_lines(body))
    elif media in JSON:
        found = list(enumerate(_values(body), start=1))
    else:
        hint = "say Content-Type: application/json, or application/x-ndjson for JSON lines"
        raise Problem("unsupported-media", f"Content-Type is {media}", hint)
    if len(found) > MOST:
        refuse("body-too-large", f"it holds more than {MOST:,} messages", "send several smaller requests")
    return found


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            check_depth(line)
            yield number, line.rstrip(b"\r")


def _values(body: bytes) -> list[bytes]:
    start = body.lstrip()[:1]
    if start not in (b"{", b"["):
        hint = "send one JSON object, an array of them, or JSON lines"
        raise Problem("malformed-body", "it is no JSON object and no array" if start else "it is empty", hint)
    check_depth(body)
    try:
        if start == b"[":
            return [bytes(value) for value in msgspec.json.decode(body, type=list[msgspec.Raw])]
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("malformed-body", f"it is no JSON ({error})", "send valid JSON in UTF-8") from None
    return [body]
