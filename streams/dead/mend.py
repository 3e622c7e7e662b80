"""Mending a message: some columns of its row are given other values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streams.errors import InputError

_ROWS = (("payload", "after"), ("after",), ("fullDocument",))  # where a change message keeps its row


def with_values(message: bytes | None, changes: Mapping[str, str], where: str) -> bytes:
    """Return the JSON message with these columns of its row replaced.

    changes: column to JSON (``12.50``, ``null``, ``"text"``) or plain text. The row is the object itself, or
    the one that a change message calls ``after``, ``data`` or ``fullDocument``. Raises InputError if the
    message is no JSON, or holds no single row.
    """
    hint = "mend it as a whole: tintype dead SHOP fix ID --file MESSAGE"
    try:
        whole = json.loads(message or b"")
    except ValueError as error:
        raise InputError(where, f"the message is no JSON ({error})", hint) from None
    row = _row_of(whole)
    if row is None:
        raise InputError(where, "the message holds no single row", hint)
    for name, text in changes.items():
        row[name] = _value(text)
    return json.dumps(whole, ensure_ascii=False).encode()


def _row_of(whole: Any) -> dict[str, Any] | None:
    if not isinstance(whole, dict):
        return None
    for path in _ROWS:
        found: Any = whole
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    data = whole.get("data")  # Maxwell: one row; Canal: a list of them
    if isinstance(data, list):
        return data[0] if len(data) == 1 and isinstance(data[0], dict) else None
    return data if isinstance(data, dict) else whole


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
