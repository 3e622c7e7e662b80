"""One JSON object as a row of text: every value as its exact digits."""

from __future__ import annotations

import json
from typing import Any

from streams.contract.numbers import ValueProblem

_HINT = "write one JSON object for each row"


class _Number(str):
    """A number's own digits, told apart from text."""


def parse_row(text: str | bytes) -> dict[str, Any]:
    """Read one object; numbers keep their digits as `str`. Raises ValueProblem, whatever the bytes.

    >>> parse_row('{"id": 7, "amount": 12.50}')
    {'id': '7', 'amount': '12.50'}
    """
    try:
        row = json.loads(
            text, parse_float=_Number, parse_int=_Number, parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_doubled,
        )  # fmt: skip
    except RecursionError:
        raise ValueProblem("this is nested too deeply", _HINT) from None
    except ValueError as error:
        raise ValueProblem(f"this is no JSON ({error})", _HINT) from None
    if not isinstance(row, dict):
        raise ValueProblem("this is no JSON object", _HINT)
    return row


def as_text(value: Any) -> str | None:
    """Return a value as the text that a file would hold; a nested one as compact JSON, empty text as null."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _compact(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a name stands more than once")
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
