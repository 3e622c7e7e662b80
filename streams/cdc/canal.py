"""Canal's flat JSON: many rows a message, every value a text, types beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from streams.cdc.change import Decoded, Operation, Refused, RowChange, moved
from streams.cdc.fields import Field
from streams.cdc.reading import digits, malformed, read_tree
from streams.cdc.rows import Row
from streams.cdc.special import OTHER_TABLE, SCHEMA_CHANGE, TOMBSTONE, truncated, unknown
from streams.cdc.tables import Tables, event_ms
from streams.contract.source import Source

_OPERATIONS: dict[str, Operation] = {"INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
_FLOATS = ("float", "double", "real")
_Cells = dict[str, Any]


class _Message(msgspec.Struct, gc=False):
    type: str | None = None
    data: list[_Cells] | None = None
    old: list[_Cells | None] | None = None
    database: str | None = None
    table: str | None = None
    mysqlType: dict[str, Any] | None = None
    isDdl: bool | None = None
    es: Any = None


class CanalDecoder:
    """Reads one source. Canal gives no position of the binary log: the topic's order decides (W2)."""

    def __init__(self, source: Source, fields: Sequence[Field]) -> None:
        self._keys = list(source.key)
        self._numbers = [field.heading for field in fields if field.kind == "number"]
        self._tables = Tables(source.format.table)
        self._row = Row(fields)
        self._key = Row([field for name in self._keys for field in fields if field.heading == name])
        self._messages = msgspec.json.Decoder(_Message, float_hook=digits)

    def decode(self, key: bytes | None, value: bytes | None) -> Decoded:
        """Return what a message is. Raises Refused."""
        if value is None:
            return TOMBSTONE
        try:
            message = self._messages.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(error) from None
        kind = message.type or ""
        table = ".".join(part for part in (message.database, message.table) if part)
        if message.isDdl or (kind not in _OPERATIONS and message.isDdl is not None and not message.data):
            if kind == "TRUNCATE" and self._tables.is_own(table):
                raise truncated(table)
            return SCHEMA_CHANGE.at(event_ms(message.es))
        if kind not in _OPERATIONS or message.data is None:
            raise self._unknown(value)
        if not self._tables.is_own(table):
            return OTHER_TABLE.at(event_ms(message.es))
        try:
            return self._changes(message, table, _OPERATIONS[kind])
        except RecursionError as error:
            raise malformed(error) from None

    def _unknown(self, value: bytes) -> Refused:
        tree = read_tree(value)
        named = "type must be INSERT, UPDATE, DELETE or a DDL statement's, with 'data'"
        return unknown(tree, "canal", named)

    def _changes(self, message: _Message, table: str, operation: Operation) -> tuple[RowChange, ...]:
        floats = self._floats(message.mysqlType)
        ms = event_ms(message.es)
        changes: list[RowChange] = []
        olds = message.old or []
        for at, cells in enumerate(message.data or []):
            self._check_key(cells)
            if operation == "delete":
                old_key, _ = self._key.read_object(cells)
                changes.append(
                    RowChange(op=operation, table=table, values={}, key_values=old_key, event_ms=ms)
                )
                continue
            values, missing = self._row.read_object(_marked(cells, floats))
            change = RowChange(
                op=operation, table=table, values=values, missing=frozenset(missing), event_ms=ms
            )
            old = olds[at] if at < len(olds) else None
            if operation == "update" and old and any(name in old for name in self._keys):
                old_key, _ = self._key.read_object({**cells, **old})
                changes.extend(moved(change, old_key) if _differ(old_key, change) else (change,))
            else:
                changes.append(change)
        return tuple(changes)

    def _check_key(self, cells: _Cells) -> None:
        for name in self._keys:
            if name not in cells:
                raise Refused(
                    f"key column '{name}' is not in the message", "correct 'key' to the table's column names"
                )

    def _floats(self, types: dict[str, Any] | None) -> list[str]:
        """Return the number columns that MySQL holds as FLOAT or DOUBLE."""
        if not types:
            return []
        return [name for name in self._numbers if str(types.get(name, "")).lower().startswith(_FLOATS)]


def _marked(cells: _Cells, floats: list[str]) -> _Cells:
    """Return the cells, floating-point texts as the digits of a JSON number with a fraction."""
    if not floats:
        return cells
    return {
        name: value.encode() if name in floats and isinstance(value, str) else value
        for name, value in cells.items()
    }


def _differ(old_key: dict[str, str | None], change: RowChange) -> bool:
    return any(change.values[name] != value for name, value in old_key.items())
