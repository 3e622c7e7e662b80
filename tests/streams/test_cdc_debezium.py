"""Debezium's envelopes and flattened rows become changes, are counted, or are refused with a hint.

Messages are those of Debezium's documentation, or written after it where it shows none.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest

from streams.cdc.change import Decoded, Refused, RowChange
from streams.cdc.open import open_decoder
from streams.contract.source import Source
from tests.streams.cdc_outcomes import kind_of

ORDERS: dict[str, Any] = {
    "key": ["id"],
    "references": [{"type": "member", "column": "member"}],
    "event_time": {"column": "at"},
    "columns": {"amount": {"type": "decimal", "scale": 2}, "note": {"type": "text"}},
}
AT = "2026-03-01T08:00:00Z"
ROW = {"id": 7, "member": "M1", "at": AT, "amount": "19.90", "note": "好"}
VALUES = {"id": "7", "member": "M1", "at": AT, "amount": "19.90", "note": "好"}
MYSQL = {
    "connector": "mysql", "db": "shop", "table": "orders", "ts_ms": 1772352000000, "snapshot": "false",
    "file": "mysql-bin.000003", "pos": 154, "row": 2,
}  # fmt: skip
POSTGRES = {
    "connector": "postgresql", "db": "pg", "schema": "public", "table": "orders", "ts_ms": 1772352000000,
    "snapshot": "false", "lsn": 24023128,
}  # fmt: skip
MYSQL_POSITION = (3 << 32) + 154 + 2


def source(**more: Any) -> Source:
    form = {"type": "debezium", **more.pop("format", {})}
    return Source.model_validate({"name": "orders", **ORDERS, "format": form, **more})


def message(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def envelope(op: str, block: dict[str, Any] | None = None, **more: Any) -> bytes:
    return message({"op": op, "source": MYSQL if block is None else block, "ts_ms": 1, **more})


def decode(value: bytes | None, key: Any = None, of: Source | None = None) -> Decoded:
    return open_decoder(of or source()).decode(None if key is None else message(key), value)


def one(decoded: Decoded) -> RowChange:
    assert isinstance(decoded, tuple)
    (change,) = decoded
    return change


@pytest.mark.parametrize(
    ("op", "block", "expected", "snapshot"),
    [
        ("c", MYSQL, "insert", False),
        ("u", MYSQL, "update", False),
        ("r", MYSQL | {"snapshot": "true"}, "read", True),
        ("r", MYSQL | {"snapshot": "incremental"}, "read", True),
        ("c", MYSQL | {"snapshot": "last"}, "read", True),
        ("c", MYSQL | {"snapshot": True}, "read", True),
        ("c", MYSQL | {"snapshot": False}, "insert", False),
        ("c", MYSQL | {"snapshot": None}, "insert", False),
    ],
)  # fmt: skip
def test_an_operation_is_read_with_its_snapshot_mark(
    op: str, block: dict[str, Any], expected: str, snapshot: bool
) -> None:
    """T5: rows of a snapshot are told from inserts, also where an older connector writes ``c``."""
    change = one(decode(envelope(op, block, after=ROW)))
    assert (change.op, change.snapshot, change.values) == (expected, snapshot, VALUES)
    assert (change.table, change.event_ms, change.missing) == ("shop.orders", 1772352000000, frozenset())


@pytest.mark.parametrize(
    ("block", "table"),
    [
        (MYSQL, "shop.orders"),
        (MYSQL | {"connector": "mariadb"}, "shop.orders"),
        (POSTGRES, "public.orders"),
        (POSTGRES | {"connector": "oracle", "schema": "SHOP", "table": "ORDERS"}, "SHOP.ORDERS"),
        (POSTGRES | {"connector": "sqlserver", "schema": "dbo"}, "pg.dbo.orders"),
        ({"connector": "mongodb", "db": "shop", "collection": "orders"}, "shop.orders"),
        ({"connector": "vitess", "db": "", "keyspace": "commerce", "table": "orders"}, "commerce.orders"),
    ],
)
def test_a_table_is_named_as_its_database_names_it(block: dict[str, Any], table: str) -> None:
    assert one(decode(envelope("c", block, after=ROW))).table == table


def test_a_message_with_a_schema_is_the_same_change_however_often_the_schema_comes() -> None:
    fields = [{"type": "int32", "field": "id"}, {"type": "string", "field": "member"}]
    schema = {"type": "struct", "fields": [
        {"type": "struct", "field": "after", "fields": fields}, {"type": "string", "field": "op"},
    ]}  # fmt: skip
    payload = json.loads(envelope("c", after=ROW))
    decoder = open_decoder(source())
    wrapped = message({"schema": schema, "payload": payload})
    other = message({"payload": payload, "schema": schema})
    changes = [decoder.decode(None, value) for value in (wrapped, wrapped, other, wrapped, wrapped + b" ")]
    assert changes == [decode(envelope("c", after=ROW))] * 5


def test_what_stands_behind_a_repeated_schema_is_not_taken_on_trust() -> None:
    schema = {"type": "struct", "fields": [{"type": "string", "field": "op"}]}
    wrapped = message({"schema": schema, "payload": json.loads(envelope("c", after=ROW))})
    decoder = open_decoder(source())
    decoder.decode(None, wrapped)
    with pytest.raises(Refused, match="no JSON"):
        decoder.decode(None, wrapped[:-1] + b"}}")
    with pytest.raises(Refused, match="it holds payload, schema, x"):
        decoder.decode(None, wrapped[:-1] + b',"x":{}}')


def test_a_delete_takes_its_key_from_the_old_row_or_from_the_message_key() -> None:
    cases: list[tuple[dict[str, Any], Any, Any]] = [
        (MYSQL, {"id": 7, "member": None}, None),
        (POSTGRES, {"id": 7, "member": None}, None),
        (POSTGRES, None, {"id": 7}),
        (POSTGRES, {"id": None}, {"schema": {"type": "struct", "fields": []}, "payload": {"id": 7}}),
        (MYSQL, None, 7),
        (MYSQL, None, "7"),
    ]
    for block, before, key in cases:
        change = one(decode(envelope("d", block, before=before, after=None), key))
        assert (change.op, change.key_values, change.values) == ("delete", {"id": "7"}, {})


@pytest.mark.parametrize("key", [None, {"number": 7}, {"id": None, "x": 1}.get("id")])
def test_a_delete_without_its_key_is_refused(key: Any) -> None:
    with pytest.raises(Refused, match="the key id of a deleted row is not in the message"):
        decode(envelope("d", POSTGRES, before={"id": None}, after=None), key)


def test_a_key_with_a_schema_is_read_by_it() -> None:
    """MySQL writes BIGINT UNSIGNED as Decimal of scale 0 with bigint.unsigned.handling.mode=precise."""
    field = {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "0"}}
    schema = {"type": "struct", "fields": [{**field, "field": "id"}]}
    key = {"schema": schema, "payload": {"id": "AP//////////"}}
    assert one(decode(envelope("d", before=None), key)).key_values == {"id": str(2**64 - 1)}


def test_a_changed_key_is_a_delete_of_the_old_and_an_insert_of_the_new() -> None:
    decoded = decode(envelope("u", before={"id": 6, "member": "M1"}, after=ROW))
    assert isinstance(decoded, tuple)
    gone, new = decoded
    assert (gone.op, gone.key_values, gone.position) == ("delete", {"id": "6"}, MYSQL_POSITION)
    assert (new.op, new.values, new.position) == ("insert", VALUES, MYSQL_POSITION)


@pytest.mark.parametrize(
    "before",
    [None, {"id": 7}, {"id": None}, {"member": "M0"}, {"id": "__debezium_unavailable_value"}],
)
def test_an_old_row_that_does_not_say_its_key_is_no_changed_key(before: Any) -> None:
    """PostgreSQL's old row is empty or partial without REPLICA IDENTITY FULL."""
    assert one(decode(envelope("u", POSTGRES, before=before, after=ROW))).op == "update"


def test_a_null_in_the_old_key_is_unknown_in_postgresql_and_null_elsewhere() -> None:
    of = source(key=["shop", "id"])
    row, before = ROW | {"shop": 1}, {"id": 7, "shop": None}
    assert one(decode(envelope("u", POSTGRES, before=before, after=row), of=of)).op == "update"
    decoded = decode(envelope("u", MYSQL, before=before, after=row), of=of)
    assert isinstance(decoded, tuple)
    assert [change.op for change in decoded] == ["delete", "insert"]
    assert decoded[0].key_values == {"shop": None, "id": "7"}


@pytest.mark.parametrize(
    "placeholder",
    [
        "__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
        ["__debezium_unavailable_value"], list(b"__debezium_unavailable_value"),
        {"__debezium_unavailable_value": "__debezium_unavailable_value"},
        [str(uuid.UUID(bytes=hashlib.md5(b"__debezium_unavailable_value").digest(), version=3))],
    ],
)  # fmt: skip
def test_an_unavailable_value_is_missing_from_an_update(placeholder: Any) -> None:
    """TOAST: the placeholder takes the form of the column's type (a UUID as Java's nameUUIDFromBytes)."""
    change = one(decode(envelope("u", POSTGRES, after=ROW | {"note": placeholder})))
    assert change.missing == {"note"}
    assert "note" not in change.values


def test_an_unavailable_value_in_a_new_row_is_refused() -> None:
    lost = ROW | {"note": "__debezium_unavailable_value"}
    for value in (
        envelope("c", POSTGRES, after=lost),
        envelope("r", POSTGRES, after=lost),
        envelope("u", POSTGRES, before={"id": 6}, after=lost),
    ):
        with pytest.raises(Refused, match=r"without all of its values.*REPLICA IDENTITY FULL"):
            decode(value)


def test_a_column_that_the_message_does_not_have_is_missing_and_a_null_is_null() -> None:
    partial = {"id": 7, "member": None, "at": AT, "amount": ""}
    change = one(decode(envelope("c", after=partial)))
    assert change.missing == {"note"}
    assert change.values == {"id": "7", "member": None, "at": AT, "amount": None}


def test_a_column_that_a_source_of_consent_may_lack_is_not_missing() -> None:
    of = Source.model_validate(
        {
            "name": "agreed",
            "kind": "consent",
            "format": {"type": "debezium"},
            "key": ["member"],
            "references": [{"type": "member", "column": "member"}],
            "event_time": {"column": "at"},
        }
    )
    row = {"member": "M1", "at": AT, "channel": "sms", "purpose": "marketing", "granted": True}
    change = one(decode(message(row), of=of))
    assert (change.missing, "until" in change.values) == (frozenset(), False)
    assert one(decode(message(row | {"until": AT}), of=of)).values["until"] == AT


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"ts_ms": 1772352000000}, "heartbeat"),
        ({"status": "BEGIN", "id": "571:53195829", "event_count": None, "data_collections": None, "ts_ms": 1},
         "transaction"),
        ({"source": MYSQL, "databaseName": "shop", "ddl": "ALTER ...", "tableChanges": []}, "schema change"),
        ({"id": "a-b", "aggregate_type": "Initial Snapshot", "type": "COMPLETED", "additional_data": {}},
         "notification"),
        ({"type": "execute-snapshot", "data": {"data-collections": ["a"]}}, "signal"),
        ({"op": "m", "source": POSTGRES | {"table": ""}, "message": {"prefix": "x"}}, "message"),
        (None, "tombstone"),
    ],
)  # fmt: skip
def test_messages_beside_the_rows_are_counted(value: Any, kind: str) -> None:
    """Also in the middle of a stream of envelopes, and of one of flattened rows with a column ``id``."""
    told = None if value is None else message(value)
    assert kind_of(decode(told)) == kind
    for first in (envelope("c", after=ROW), message(ROW)):
        decoder = open_decoder(source())
        decoder.decode(None, first)
        assert kind_of(decoder.decode(None, told)) == kind
        assert isinstance(decoder.decode(None, first), tuple)


def test_what_holds_all_columns_of_the_source_is_a_row_whatever_it_looks_like() -> None:
    """A table may be an outbox, with the columns of a notification, or have a column called metadata."""
    outbox = source(
        event_time={"column": "timestamp", "format": "epoch_ms"}, columns={"type": {"type": "text"}},
        references=[{"type": "member", "column": "aggregate_type"}],
    )  # fmt: skip
    row = {"id": "a", "aggregate_type": "M1", "type": "COMPLETED", "additional_data": {}, "timestamp": 5}
    assert one(decode(message(row), of=outbox)).values["type"] == "COMPLETED"
    assert kind_of(decode(message(row))) == "notification"
    for name in ("metadata", "op_type", "xid", "specversion"):
        looks_foreign = ROW | {
            name: {"record-type": "x"},
            "table": "a",
            "data": 1,
            "database": "b",
            "type": "c",
        }
        assert one(decode(message(looks_foreign))).values == VALUES


def test_a_tombstone_is_counted_behind_envelopes_and_a_delete_in_a_flattened_stream() -> None:
    """ExtractNewRecordState may leave nothing but the tombstone of a delete."""
    enveloped, flattened = open_decoder(source()), open_decoder(source())
    enveloped.decode(None, envelope("c", after=ROW))
    flattened.decode(None, message(ROW))
    key = message({"id": 7})
    assert kind_of(enveloped.decode(key, None)) == "tombstone"
    for value in (None, b"null", b'{"schema":null,"payload":null}'):
        change = one(flattened.decode(key, value))
        assert (change.op, change.key_values, change.position) == ("delete", {"id": "7"}, None)


def test_rows_of_other_tables_are_counted_where_the_source_names_its_own() -> None:
    for own, expected in (("orders", True), ("shop.orders", True), ("rders", False), ("refunds", False)):
        decoded = decode(envelope("c", after=ROW), of=source(format={"table": own}))
        assert isinstance(decoded, tuple) is expected
        assert expected or kind_of(decoded) == "other table"
    with pytest.raises(Refused, match="names no table"):
        decode(message(ROW), of=source(format={"table": "orders"}))


@pytest.mark.parametrize(
    ("value", "problem", "hint"),
    [
        (b"", "no JSON", "converter"),
        (b"{", "no JSON", "converter"),
        (b"\xff\xfe", "no JSON", "converter"),
        (b'{"op":"c","after":{"id":NaN}}', "no JSON", "converter"),
        (b"[" * 100_000, "nested too deeply", "who wrote it"),
        (b"[1]", "no object", "converter"),
        (b"7", "no object", "converter"),
        (b"{}", "it holds nothing", "a row must hold its key: id"),
        (b'{"a":1}', "it holds a", "a row must hold its key: id"),
        (envelope("x", after=ROW), "'x' is no operation", "c, u, d"),
        (message({"op": ["c"], "source": MYSQL, "after": ROW}), "no operation", "c, u, d"),
        (envelope("t", after=None), "table shop.orders was truncated", "snapshot"),
        (message(ROW | {"__op": "t"}), "was truncated", "snapshot"),
        (envelope("c", after=None), "no row in 'after'", "connector"),
        (envelope("c"), "no row in 'after'", "connector"),
        (envelope("c", after=[1]), "not the form of its kind", "connector"),
        (message({"op": "c", "source": 5, "after": ROW}), "not the form of its kind", "connector"),
        (envelope("c", after={"ID": 7, "member": "M1"}), "key column 'id' is not in the message", "'key'"),
        (envelope("c", MYSQL | {"connector": "cassandra"}, after=ROW), "cells", "another database"),
        (message({"table": "S.T", "op_type": "I", "after": ROW}), "another format", "GoldenGate"),
        (message({"data": ROW, "metadata": {"record-type": "data", "operation": "insert"}}),
         "another format", "DMS"),
        (message({"specversion": "1.0", "id": "1", "data": {}}), "another format", "JsonConverter"),
        (message({"data": [ROW], "type": "INSERT", "isDdl": False, "mysqlType": {}}), "another format",
         "format.type: canal"),
        (message({"database": "a", "table": "b", "type": "insert", "data": ROW}), "another format",
         "format.type: maxwell"),
    ],
)  # fmt: skip
def test_what_is_no_change_is_refused_with_a_hint(value: bytes, problem: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        decode(value)
    assert problem in refused.value.problem
    assert hint in refused.value.hint
