"""One JSON object as a row of text: every value as its exact digits."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from streams.contract.numbers import ValueProblem

_HINT = "write one JSON object for each row"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # an escape that may be half of a character
DEEPEST = 64  # levels of lists and objects; what is deeper overflows whoever looks into it


class _Number(str):
    """A number's own digits, told apart from text."""


def parse_row(text: str | bytes, names: Collection[str] = ()) -> dict[str, Any]:
    """Read one object; numbers keep their digits as `str`.

    names: columns that must be text or a number: they are keys, or name a customer. Raises ValueProblem, and
    nothing else whatever the bytes.

    >>> parse_row('{"id": 7, "amount": 12.50}')
    {'id': '7', 'amount': '12.50'}
    """
    try:
        row = json.loads(
            text if isinstance(text, str) else _decoded(text), parse_float=_Number, parse_int=_Number,
            parse_constant=_refuse_constant, object_pairs_hook=_refuse_doubled,
        )  # fmt: skip
        if not isinstance(row, dict):
            raise ValueProblem("this is no JSON object", _HINT)
        _check_depth(row, DEEPEST)
    except ValueProblem:
        raise
    except RecursionError:
        raise ValueProblem("this is nested too deeply", _HINT) from None
    except ValueError as error:
        raise ValueProblem(f"this is no JSON ({error})", _HINT) from None
    for name in names:
        check_plain(name, row.get(name))
    return row


def as_text(value: Any) -> str | None:
    """Return a value as the text that a file would hold; a nested one as compact JSON, empty text as null."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _compact(value)


def check_plain(name: str, value: Any) -> None:
    """Raise ValueProblem unless the value can name something: text, a number, or null."""
    if isinstance(value, bool | dict | list):
        shown = json.dumps(value, ensure_ascii=False)[:40]
        hint = "a key, and what names a customer, is text or a number"
        raise ValueProblem(f"{name}: {shown} is neither text nor a number", hint)


def _check_depth(value: dict[str, Any] | list[Any], levels: int) -> None:
    if levels == 0:
        raise ValueProblem("this is nested too deeply", _HINT)
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, levels - 1)


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} (hex {raw[error.start]:02x}) is not UTF-8"
        raise ValueProblem(problem, "write JSON in UTF-8") from None
    if _HALF.search(text):
        try:
            json.dumps(json.loads(text), ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise ValueProblem(f"{half} is half of a character", "write both halves, or neither") from None
    return text


def _refuse_constant(name: str) -> None:
    raise ValueProblem(f"{name} is no number of JSON", "write null where there is no number")


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in row if names.count(name) > 1)
        raise ValueProblem(f"'{doubled[:40]}': a name stands more than once", "keep one")
    return row


def _compact(value: Any) -> str:
    """Write a value as JSON without spaces, numbers with the digits they came with."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_compact(name)}:{_compact(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
