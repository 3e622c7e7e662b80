"""Documents of MongoDB: Extended JSON inside the envelope, and updates that carry only what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from streams.cdc.change import Refused
from streams.cdc.fields import Field
from streams.cdc.reading import compact, read_tree
from streams.cdc.rows import Row, Values

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FULL_HINT = "set capture.mode=change_streams_update_full"


class Documents:
    """Reads the declared columns, which are top-level fields, out of documents."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._row = Row(fields)
        self._headings = [field.heading for field in fields]

    def read(self, text: str) -> Values:
        """Return the columns of a whole document; a field that is not in it is null. Raises Refused."""
        document = _object(text)
        cells = [plain(document.get(heading)) for heading in self._headings]
        return self._row.read(cells)[0]

    def identity(self, document_id: Any) -> Values:
        """Return ``_id`` as a column, where the source reads it."""
        return self._only({"_id": plain(document_id)})

    def read_update(self, description: Any, patch: Any) -> tuple[Values, list[str]]:
        """Return (values, missing) of an update that carries only what changed. Raises Refused.

        description: ``updateDescription`` of change streams; patch: the oplog's ``$set`` and ``$unset``,
        or a whole document.
        """
        if isinstance(description, dict):
            removed = description.get("removedFields") or []
            changed = _object(description.get("updatedFields") or "{}")
            cut = description.get("truncatedArrays") or []
            touched = [item.get("field") for item in cut if isinstance(item, dict)]
        elif isinstance(patch, str):
            document = _object(patch)
            if not any(name.startswith("$") for name in document):
                return self.read(patch), []
            removed, changed = _keys(document.get("$unset")), document.get("$set") or {}
            touched = []
        else:
            raise Refused("an update without 'after' and without what changed", FULL_HINT)
        if not isinstance(changed, dict) or not isinstance(removed, list):
            raise Refused("the description of the update is of no known form", FULL_HINT)
        self._refuse_inner([*removed, *changed, *(f"{path}." for path in touched)])
        cells = {name: plain(value) for name, value in changed.items()}
        values = self._only({**cells, **{str(name): None for name in removed}})
        return values, [heading for heading in self._headings if heading not in values]

    def _only(self, cells: dict[str, Any]) -> Values:
        values, _ = self._row.read_object(cells)
        return values

    def _refuse_inner(self, paths: list[Any]) -> None:
        for path in paths:
            name, point, _ = str(path).partition(".")
            if point and name in self._headings:
                raise Refused(f"only a part of column '{name}' is in the message", FULL_HINT)


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else []


def _object(text: Any) -> dict[str, Any]:
    document = read_tree(text.encode()) if isinstance(text, str) else text
    if not isinstance(document, dict):
        raise Refused("the document is no JSON object", "check the connector")
    return document


def plain(value: Any) -> Any:
    """Return a value of Extended JSON (v1 and v2) as plain JSON; what has no plain form stays.

    Source: MongoDB Extended JSON specification. A date becomes text with its zone.

    >>> plain({"$numberLong": "1004"}), plain({"$date": 1393804800000})
    (1004, '2014-03-03T00:00:00+00:00')
    """
    if not isinstance(value, dict) or not value:
        return value
    name = next(iter(value))
    read = _PLAIN.get(name)
    return read(value[name], value) if read is not None else value


def _number(inner: Any, whole: Any) -> Any:
    if isinstance(inner, str) and inner.removeprefix("-").isdecimal() and inner.isascii() and len(inner) < 25:
        return int(inner)
    return whole


def _double(inner: Any, whole: Any) -> Any:
    return inner.encode() if isinstance(inner, str) else whole


def _text(inner: Any, whole: Any) -> Any:
    return inner if isinstance(inner, str) else whole


def _date(inner: Any, whole: Any) -> Any:
    if isinstance(inner, str):
        return inner
    ms = plain(inner)
    return _moment(ms) if type(ms) is int else whole


def _timestamp(inner: Any, whole: Any) -> Any:
    seconds = inner.get("t") if isinstance(inner, dict) else None
    return _moment(seconds * 1000) if type(seconds) is int else whole


def _moment(ms: int) -> str:
    try:
        return (_EPOCH + dt.timedelta(milliseconds=ms)).isoformat()
    except OverflowError:
        raise Refused(f"the date {ms} lies outside the years 1 to 9999", "correct the document") from None


def _binary(inner: Any, whole: Any) -> Any:
    if isinstance(inner, dict) and isinstance(inner.get("base64"), str):
        return inner["base64"]
    return inner if isinstance(inner, str) else compact(whole)


def _nothing(inner: Any, whole: Any) -> Any:
    return None


_PLAIN = {
    "$oid": _text, "$numberInt": _number, "$numberLong": _number, "$numberDouble": _double,
    "$numberDecimal": _text, "$date": _date, "$timestamp": _timestamp, "$binary": _binary, "$uuid": _text,
    "$symbol": _text, "$undefined": _nothing,
}  # fmt: skip
