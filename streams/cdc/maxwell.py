"""Maxwell's JSON: one row a message, values as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from streams.cdc.change import Counted, Decoded, Operation, Refused, RowChange, moved
from streams.cdc.fields import Field
from streams.cdc.positions import binlog_position, whole
from streams.cdc.reading import digits, malformed, read_tree
from streams.cdc.rows import Row, row_type
from streams.cdc.special import BOOTSTRAP, OTHER_TABLE, SCHEMA_CHANGE, TOMBSTONE, unknown
from streams.cdc.tables import Tables, event_ms
from streams.contract.source import Source

_OPERATIONS: dict[str, Operation] = {
    "insert": "insert", "update": "update", "delete": "delete", "bootstrap-insert": "read",
}  # fmt: skip
_COUNTED: dict[str, Counted] = {
    "bootstrap-start": BOOTSTRAP, "bootstrap-complete": BOOTSTRAP,
    **{
        f"{what}-{done}": SCHEMA_CHANGE
        for what in ("table", "database")
        for done in ("create", "alter", "drop")
    },
}  # fmt: skip


class MaxwellDecoder:
    """Reads one source. The position is there where Maxwell runs with ``output_binlog_position``."""

    def __init__(self, source: Source, fields: Sequence[Field]) -> None:
        self._keys = list(source.key)
        key_fields = [field for name in self._keys for field in fields if field.heading == name]
        self._tables = Tables(source.format.table)
        self._row, self._key = Row(fields), Row(key_fields)
        self._key_places = [[field.heading for field in fields].index(name) for name in self._keys]
        row = row_type("Row", [field.heading for field in fields])
        message = msgspec.defstruct(
            "Message",
            [
                ("type", str | None, None),
                ("data", row | None, None),
                ("old", dict[str, Any] | None, None),
                ("database", str | None, None),
                ("table", str | None, None),
                ("ts", Any, None),
                ("position", Any, None),
            ],
            gc=False,
        )
        self._messages: msgspec.json.Decoder[Any] = msgspec.json.Decoder(message, float_hook=digits)

    def decode(self, key: bytes | None, value: bytes | None) -> Decoded:
        """Return what a message is. Raises Refused."""
        if value is None:
            return TOMBSTONE
        try:
            message = self._messages.decode(value)
            operation = _OPERATIONS.get(message.type or "")
            if operation is None or message.data is None:
                return self._other(message, value)
            table = ".".join(part for part in (message.database, message.table) if part)
            if not self._tables.is_own(table):
                return OTHER_TABLE.at(_milliseconds(message.ts))
            return self._change(message, operation, table)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(error) from None

    def _other(self, message: Any, value: bytes) -> Counted:
        counted = _COUNTED.get(message.type or "")
        if counted is not None:
            return counted.at(_milliseconds(message.ts))
        raise unknown(read_tree(value), "maxwell", "type must be insert, update, delete or bootstrap-*")

    def _change(self, message: Any, operation: Operation, table: str) -> Decoded:
        cells = msgspec.structs.astuple(message.data)
        for at in self._key_places:
            if cells[at] is UNSET:
                raise Refused(
                    f"a column of the key ({', '.join(self._keys)}) is not in the message",
                    "correct 'key' to the table's column names",
                )
        position = _position(message.position)
        snapshot = operation == "read"
        ms = _milliseconds(message.ts)
        if operation == "delete":
            gone, _ = self._key.read([cells[at] for at in self._key_places])
            return (
                RowChange(
                    op=operation, table=table, values={}, key_values=gone, position=position, event_ms=ms
                ),
            )
        values, missing = self._row.read(cells)
        change = RowChange(
            op=operation, table=table, values=values, missing=frozenset(missing),
            position=None if snapshot else position, event_ms=ms, snapshot=snapshot,
        )  # fmt: skip
        old = message.old or {}
        if operation != "update" or not any(name in old for name in self._keys):
            return (change,)
        changed, _ = self._key.read_object(old)
        old_key = {name: changed.get(name, values[name]) for name in self._keys}
        if all(values[name] == old_key[name] for name in self._keys):
            return (change,)
        return moved(change, old_key)


def _milliseconds(ts: Any) -> int | None:
    """Return Maxwell's time, which is in seconds, in milliseconds."""
    seconds = whole(ts)
    return event_ms(seconds * 1000) if seconds is not None else None


def _position(value: Any) -> int | None:
    """Return ``file:byte`` as one number; rows of one event share it, so it is not exact."""
    if type(value) is not str:
        return None
    file, _, byte = value.rpartition(":")
    return binlog_position(file, byte, None)[0]
