"""Debezium's messages: envelopes and flattened rows, with and without schema."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from streams.cdc.change import Counted, Decoded, Operation, Refused, RowChange, moved
from streams.cdc.fields import Field
from streams.cdc.flattened import FlatRows
from streams.cdc.message_key import document_id, key_values
from streams.cdc.mongodb import Documents
from streams.cdc.positions import SourceBlock, is_snapshot, position_of
from streams.cdc.reading import compact, digits, malformed, read_tree
from streams.cdc.rows import Values, row_type
from streams.cdc.special import MESSAGE, OTHER_TABLE, TOMBSTONE, debezium_form, truncated
from streams.cdc.tables import Tables, event_ms
from streams.cdc.wrapped import Payloads, Readers
from streams.contract.source import Source

_OPERATIONS: dict[str, Operation] = {"c": "insert", "u": "update", "r": "read"}
_NONE: list[str] = []
_ALL_THERE: frozenset[str] = frozenset()
_FULL_HINT = "PostgreSQL: ALTER TABLE ... REPLICA IDENTITY FULL; or keep the connector's message key"


class DebeziumDecoder:
    """Reads one source. Whether its messages have a schema and are flattened is learnt from the last one."""

    def __init__(self, source: Source, fields: Sequence[Field]) -> None:
        headings = [field.heading for field in fields]
        self._headings = headings
        self._keys = [field for name in source.key for field in fields if field.heading == name]
        self._tables = Tables(source.format.table)
        row, key_row = row_type("Row", headings), row_type("KeyRow", source.key)
        envelope = msgspec.defstruct(
            "Envelope",
            [
                ("op", Any, UNSET),
                ("after", row | str | UnsetType | None, UNSET),
                ("before", key_row | str | UnsetType | None, UNSET),
                ("source", SourceBlock | UnsetType | None, UNSET),
                ("updateDescription", Any, None),
                ("patch", Any, None),
            ],
            gc=False,
        )
        self._envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope, float_hook=digits)
        self._flat = FlatRows(headings, source.key)
        self._key_names = frozenset(source.key)
        self._documents, self._identities = Documents(fields), Documents(self._keys)
        self._payloads = Payloads(fields, self._keys)
        self._flattened = False
        self._enveloped_before = False

    def decode(self, key: bytes | None, value: bytes | None) -> Decoded:
        """Return what a message is. Raises Refused."""
        if value is None or value == b"null":
            return self._tombstone(key)
        try:
            try:
                return self._decode(key, *self._payloads.unwrap(value))
            except msgspec.DecodeError:
                return self._decode(key, *self._payloads.parse(value))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(error) from None

    def _decode(self, key: bytes | None, payload: bytes | Raw, readers: Readers) -> Decoded:
        try:
            if self._flattened:
                cells = self._flat.cells(payload)
                if self._flat.is_plain(cells):
                    return self._row(key, cells, readers)
            else:
                envelope = self._envelope.decode(payload)
                if envelope.op is not UNSET and not (envelope.source is envelope.after is envelope.before):
                    return self._change(key, envelope, readers)
        except msgspec.ValidationError:
            pass  # of another form than the last message: look closer
        return self._look_closer(key, payload, readers)

    def _look_closer(self, key: bytes | None, payload: bytes | Raw, readers: Readers) -> Decoded:
        """Decode a message that is not of the form the last ones had."""
        tree = read_tree(payload)
        if tree is None:
            return self._tombstone(key)
        form = debezium_form(tree, self._key_names, self._headings)
        if isinstance(form, Counted):
            return form.at(event_ms(tree.get("ts_ms")))
        self._flattened = form == "row"
        if self._flattened:
            return self._row(key, self._flat.cells(payload), readers)
        return self._change(key, self._envelope.decode(payload), readers)

    def _change(self, key: bytes | None, envelope: Any, readers: Readers) -> Decoded:
        self._enveloped_before = True
        op, block = envelope.op, envelope.source or SourceBlock()
        if op == "m":
            return MESSAGE.at(event_ms(block.ts_ms))
        table = self._tables.name(block)
        if table is None:
            return OTHER_TABLE.at(event_ms(block.ts_ms))
        if block.connector == "cassandra":
            raise Refused("Cassandra's cells are not read", "feed the table through another database")
        if op == "d":
            return self._delete(key, envelope, readers, block, table)
        operation = _OPERATIONS.get(op) if type(op) is str else None
        if operation is None:
            if op == "t":
                raise truncated(table)
            named = op if type(op) is str else compact(op)
            raise Refused(f"'{named[:20]}' is no operation", "known are c, u, d, r, t and m of Debezium")
        return self._written(key, envelope, readers, block, table, operation)

    def _written(
        self, key: bytes | None, envelope: Any, readers: Readers, block: SourceBlock, table: str,
        operation: Operation,
    ) -> Decoded:  # fmt: skip
        after = envelope.after
        document = type(after) is str
        if document:
            values, missing = self._documents.read(after), _NONE
        elif after:
            values, missing = readers.row.read(msgspec.structs.astuple(after))
        elif operation == "update" and block.collection is not None:
            values, missing = self._documents.read_update(envelope.updateDescription, envelope.patch)
            document = True
            if key is not None:
                identity = self._documents.identity(document_id(key))
                values = {**values, **identity}
                missing = [name for name in missing if name not in identity]
        else:
            raise Refused("the message carries no row in 'after'", "check the connector")
        snapshot = operation == "read" or is_snapshot(block)
        if snapshot and operation == "insert":  # older connectors write snapshot rows as inserts
            operation = "read"
        if missing:
            self._check_key(missing)
            if operation != "update":
                _check_complete(msgspec.structs.astuple(after), missing)
        position, exact = position_of(block, snapshot)
        change = RowChange(
            op=operation, table=table, values=values, missing=frozenset(missing) if missing else _ALL_THERE,
            position=position, exact=exact, event_ms=event_ms(block.ts_ms), snapshot=snapshot,
        )  # fmt: skip
        if operation == "update" and envelope.before and not document:
            return self._moved(change, envelope, readers, block)
        return (change,)

    def _check_key(self, missing: Collection[str]) -> None:
        for name in self._key_names.intersection(missing):
            raise Refused(
                f"key column '{name}' is not in the message",
                "correct 'key' to the names of the database's columns",
            )

    def _moved(self, change: RowChange, envelope: Any, readers: Readers, block: SourceBlock) -> Decoded:
        """Return the change, or a delete and an insert where it gave the row another key."""
        if type(envelope.before) is str:
            raise Refused("a text in 'before', and a row in 'after'", "check the connector")
        old, _ = readers.key.read(msgspec.structs.astuple(envelope.before))
        if block.connector == "postgresql":  # columns beyond the replica identity are null there
            old = {name: value for name, value in old.items() if value is not None}
        old = {field.heading: old.get(field.heading, change.values[field.heading]) for field in self._keys}
        if all(change.values[name] == value for name, value in old.items()) or not any(old.values()):
            return (change,)
        _check_complete(msgspec.structs.astuple(envelope.after), change.missing)
        return moved(change, old)

    def _delete(
        self, key: bytes | None, envelope: Any, readers: Readers, block: SourceBlock, table: str
    ) -> Decoded:
        before = envelope.before
        old: Values = {}
        if type(before) is str:
            old = self._identities.read(before)
        elif before:
            old, _ = readers.key.read(msgspec.structs.astuple(before))
        unsure = block.connector == "postgresql" or not block.connector
        known = {name: value for name, value in old.items() if value is not None or not unsure}
        snapshot = is_snapshot(block)
        position, exact = position_of(block, snapshot)
        return (
            RowChange(
                op="delete", table=table, values={}, position=position, exact=exact, snapshot=snapshot,
                key_values=self._key_of(key, known, block.collection is not None),
                event_ms=event_ms(block.ts_ms),
            ),
        )  # fmt: skip

    def _key_of(self, key: bytes | None, known: Values, document: bool) -> Values:
        """Return the key columns, from what is known of the row, else from the message key."""
        names = [field.heading for field in self._keys]
        if not all(name in known for name in names) and key is not None:
            found = self._documents.identity(document_id(key)) if document else key_values(key, self._keys)
            known = {**found, **known}
        if any(name not in known for name in names):
            hint = "keep the connector's own message key" if document else _FULL_HINT
            raise Refused(f"the key {', '.join(names)} of a deleted row is not in the message", hint)
        return {name: known[name] for name in names}

    def _row(self, key: bytes | None, cells: tuple[Any, ...], readers: Readers) -> Decoded:
        """Decode a flattened row."""
        metadata = self._flat.metadata(cells)
        op, block = metadata.op, metadata.block
        table = self._tables.name(block)
        if table is None:
            return OTHER_TABLE.at(event_ms(block.ts_ms))
        if op == "t":
            raise truncated(table)
        snapshot = op == "r" or is_snapshot(block)
        # Without __op a row may be one of a snapshot, whose position may only be trusted in some logs.
        position, exact = position_of(block, snapshot or op is None)
        if metadata.deleted:
            found, _ = readers.key.read(self._flat.key_cells(cells))
            known: Values = {name: value for name, value in found.items() if value is not None}
            old = self._key_of(key, known, block.collection is not None)
            return (
                RowChange(
                    op="delete", table=table, values={}, key_values=old, position=position, exact=exact,
                    event_ms=event_ms(block.ts_ms), snapshot=snapshot,
                ),
            )  # fmt: skip
        values, missing = readers.row.read(cells)
        operation: Operation = _OPERATIONS.get(op, "upsert") if type(op) is str else "upsert"
        if missing:
            self._check_key(missing)
            if operation in ("insert", "read"):
                _check_complete(cells[: len(values) + len(missing)], missing)
        return (
            RowChange(
                op=operation, table=table, values=values,
                missing=frozenset(missing) if missing else _ALL_THERE, position=position, exact=exact,
                event_ms=event_ms(block.ts_ms), snapshot=snapshot,
            ),
        )  # fmt: skip

    def _tombstone(self, key: bytes | None) -> Decoded:
        """Count what follows the delete of an envelope; to a flattened stream it is the delete itself."""
        if self._enveloped_before or key is None:
            return TOMBSTONE
        document = [field.heading for field in self._keys] == ["_id"]
        return (RowChange(op="delete", table="", values={}, key_values=self._key_of(key, {}, document)),)


def _check_complete(cells: Sequence[Any], missing: Collection[str]) -> None:
    """Raise Refused where a row that is new holds placeholders: there is no older value to keep."""
    if sum(cell is UNSET for cell in cells) < len(missing):
        raise Refused("a new row, or one with a new key, without all of its values", _FULL_HINT)
