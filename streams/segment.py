"""Calls in the shape of Segment's HTTP tracking API: cut from a request, and routed to the sources that take
them.

Source: Segment's specification of its calls (identify, track, page, screen, group, alias) and of the HTTP
API. A source takes calls by ``format: {type: segment, call: track, events: [Order Completed]}`` and names its
columns by dotted paths (``from: properties.price``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import xxhash

from streams.cdc.change import Refused
from streams.contract.columns import file_columns, names_of
from streams.contract.numbers import ValueProblem
from streams.contract.source import CALLS, SEGMENT, Source
from streams.decode.json_row import as_text, check_plain, parse_row
from streams.taking import Row

SOURCE = "@segment"  # of messages that are calls: no name of a source, those are identifiers
BATCHES = ("batch", "import")
_NAME = {"track": "event", "page": "name", "screen": "name"}  # what `events` lists
_OF_ALL = ("context", "integrations")  # a batch may say these once for its calls
_Call = dict[str, msgspec.Raw]


class Calls:
    """Routes calls to the sources that take them, and reads their columns."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._takers = {
            name: (source, file_columns(source))
            for name, source in sources.items() if source.format.type == SEGMENT
        }  # fmt: skip

    def rows(self, value: bytes | None) -> list[Row]:
        """Return one row for each source that takes the call. Raises Refused, also where none does."""
        try:
            call = parse_row(value or b"")
        except ValueProblem as problem:
            raise Refused(problem.problem, problem.hint) from None
        kind = call.get("type")
        if kind not in CALLS:
            raise Refused(f"{kind!r} is no type of a call", f"'type' is one of {', '.join(CALLS)}")
        name = call.get(_NAME.get(kind, ""))
        if kind == "track" and not isinstance(name, str):
            raise Refused("a track call needs 'event', the name of what happened", "send it")
        takers = self.takers(kind, name)
        if not takers:
            raise Refused(f"no source takes {kind} calls{_named(name)}", self._hint(kind, name))
        try:
            return [self._row(taker, call) for taker in takers]
        except ValueProblem as problem:
            raise Refused(problem.problem, problem.hint) from None

    def _row(self, taker: str, call: dict[str, Any]) -> Row:
        source, columns = self._takers[taker]
        for name in names_of(source):
            check_plain(name, value_at(call, name))
        return Row(taker, "upsert", {path: as_text(value_at(call, path)) for path in columns})

    def takers(self, call: str, name: object) -> list[str]:
        """Return the sources that take calls of a type, of the event or page of this name."""
        return [
            taker
            for taker, (source, _) in self._takers.items()
            if source.format.call == call and (not source.format.events or name in source.format.events)
        ]

    def _hint(self, call: str, name: object) -> str:
        events = f", events: [{name}]" if isinstance(name, str) and name else ""
        return f"declare a source with format: {{type: segment, call: {call}{events}}}, then replay"


def _named(name: object) -> str:
    return f" named '{name}'" if isinstance(name, str) and name else ""


def value_at(call: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path; a name that itself holds the points goes first.

    >>> value_at({"properties": {"price": "12.50"}}, "properties.price")
    '12.50'
    """
    if path in call:
        return call[path]
    head, dot, rest = path.partition(".")
    inner = call.get(head)
    return value_at(inner, rest) if dot and isinstance(inner, dict) else None


def calls_of(
    body: bytes, path: str, now: str, new_id: Callable[[], str]
) -> list[tuple[bytes, str, str | None]]:
    """Return (call as JSON, type, name) of every call of a request to ``/v1/{path}``.

    now: ISO 8601, for calls without a time. A call without ``messageId`` but with a time gets one made of
    its content, so that it counts once when it is sent again; without a time too it gets a new one, and then
    it may count twice. Raises Refused where the body has not the API's shape.
    """
    whole = _object(body)
    if whole is None:
        raise Refused("the body is no JSON object", 'send one call, or {"batch": [...]} to /v1/batch')
    if path not in BATCHES:
        return [_complete({**whole, "type": _raw(path)}, now, new_id)]
    try:
        batch = msgspec.json.decode(whole.get("batch", b"null"), type=list[msgspec.Raw])
    except msgspec.DecodeError:
        raise Refused("'batch' is no array of calls", 'send {"batch": [{"type": "track", ...}]}') from None
    shared = {name: whole[name] for name in _OF_ALL if name in whole}
    found = []
    for one in batch:
        call = _object(bytes(one))
        found.append((bytes(one), "", None) if call is None else _complete({**shared, **call}, now, new_id))
    return found


def write_key(body: bytes) -> str | None:
    """Return the key that trackers may send in the body instead of a header."""
    whole = _object(body)
    return _text(whole, "writeKey") if whole is not None else None


def _complete(call: _Call, now: str, new_id: Callable[[], str]) -> tuple[bytes, str, str | None]:
    """Fill in what the API promises to fill in: timestamp and messageId."""
    content = msgspec.json.encode({key: value for key, value in call.items() if key != "sentAt"})
    timed = _text(call, "timestamp") or _text(call, "originalTimestamp")
    call = {**call, "timestamp": _raw(timed or now)}
    if not _text(call, "messageId"):
        call["messageId"] = _raw(xxhash.xxh3_128(content).hexdigest() if timed else new_id())
    kind = _text(call, "type") or ""
    return msgspec.json.encode(call), kind, _text(call, _NAME.get(kind, ""))


def _object(body: bytes) -> _Call | None:
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(call: _Call, name: str) -> str | None:
    """Return a member if it is a text and not empty."""
    try:
        return msgspec.json.decode(call[name], type=str) or None if name in call else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(text))
