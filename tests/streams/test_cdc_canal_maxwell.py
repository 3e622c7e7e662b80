"""Canal's and Maxwell's messages become the changes that the same rows of Debezium would be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.cdc.change import Decoded, Refused, RowChange
from streams.cdc.open import open_decoder
from streams.contract.source import Source
from tests.streams.cdc_outcomes import kind_of

ROW = {"id": "7", "member": "M1", "at": "2026-03-01 08:00:00", "amount": "19.90"}
TYPES = {"id": "bigint", "member": "varchar(8)", "at": "datetime", "amount": "decimal(10,2)"}


def source(form: str, table: str | None = None, **amount: Any) -> Source:
    return Source.model_validate(
        {
            "name": "orders", "format": {"type": form, "table": table}, "key": ["id"],
            "event_time": {"column": "at", "zone": "Asia/Shanghai"},
            "references": [{"type": "member", "column": "member"}],
            "columns": {"amount": {"type": "decimal", "scale": 2, **amount}},
        }
    )  # fmt: skip


def canal(kind: str, *rows: Any, **more: Any) -> bytes:
    return json.dumps(
        {
            "data": list(rows), "database": "shop", "table": "orders", "type": kind, "isDdl": False,
            "es": 1772352000000, "ts": 1772352000123, "id": 5, "mysqlType": TYPES, "pkNames": ["id"],
            "old": None, "sql": "", **more,
        }
    ).encode()  # fmt: skip


def maxwell(kind: str, data: Any, **more: Any) -> bytes:
    return json.dumps(
        {
            "database": "shop",
            "table": "orders",
            "type": kind,
            "ts": 1772352000,
            "xid": 5,
            "data": data,
            **more,
        }
    ).encode()


def decode(form: str, value: bytes | None, **how: Any) -> Decoded:
    return open_decoder(source(form, **how)).decode(None, value)


def changes(form: str, value: bytes, **how: Any) -> list[RowChange]:
    decoded = decode(form, value, **how)
    assert isinstance(decoded, tuple)
    return list(decoded)


def test_a_canal_message_holds_many_rows() -> None:
    other = ROW | {"id": "8", "amount": None}
    for kind, op in (("INSERT", "insert"), ("UPDATE", "update")):
        first, second = changes("canal", canal(kind, ROW, other, old=[{"amount": "1.00"}, None]))
        assert (first.op, first.values, second.values) == (op, ROW, other)
        assert (first.table, first.event_ms, first.position, first.exact) == (
            "shop.orders", 1772352000000, None, False,
        )  # fmt: skip
    gone = changes("canal", canal("DELETE", ROW, other))
    assert [(change.op, change.key_values, change.values) for change in gone] == [
        ("delete", {"id": "7"}, {}), ("delete", {"id": "8"}, {}),
    ]  # fmt: skip


def test_a_changed_key_of_canal_and_maxwell_is_a_delete_and_an_insert() -> None:
    told = [
        changes("canal", canal("UPDATE", ROW, old=[{"id": "6"}])),
        changes("maxwell", maxwell("update", ROW, old={"id": 6})),
    ]
    for gone, new in told:
        assert (gone.op, gone.key_values) == ("delete", {"id": "6"})
        assert (new.op, new.values) == ("insert", ROW)
    same = [
        changes("canal", canal("UPDATE", ROW, old=[{"id": "7"}])),
        changes("maxwell", maxwell("update", ROW, old={"id": 7, "amount": "1"})),
    ]
    assert [[change.op for change in each] for each in same] == [["update"], ["update"]]


def test_a_floating_point_column_of_canal_is_known_by_its_mysql_type() -> None:
    for kind in ("double", "float(10,2)", "DOUBLE UNSIGNED", "real"):
        value = canal("INSERT", ROW, mysqlType=TYPES | {"amount": kind})
        with pytest.raises(Refused, match=r"column 'amount'.*floating-point"):
            decode("canal", value)
        assert changes("canal", value, round="half_even")[0].values["amount"] == "19.90"
    assert changes("canal", canal("INSERT", ROW, mysqlType=None))[0].values == ROW


@pytest.mark.parametrize(
    ("form", "value", "kind"),
    [
        ("canal", canal("CREATE", isDdl=True), "schema change"),
        ("canal", canal("QUERY", isDdl=True, data=None), "schema change"),
        ("canal", canal("ALTER"), "schema change"),
        ("canal", None, "tombstone"),
        ("maxwell", maxwell("bootstrap-start", {}), "bootstrap"),
        ("maxwell", maxwell("bootstrap-complete", {}), "bootstrap"),
        ("maxwell", maxwell("table-alter", None), "schema change"),
        ("maxwell", maxwell("database-create", None), "schema change"),
        ("maxwell", None, "tombstone"),
    ],
)
def test_what_changes_no_row_is_counted(form: str, value: bytes | None, kind: str) -> None:
    assert kind_of(decode(form, value)) == kind


@pytest.mark.parametrize(
    ("form", "value"), [("canal", canal("INSERT", ROW)), ("maxwell", maxwell("insert", ROW))]
)
def test_rows_of_other_tables_are_counted(form: str, value: bytes) -> None:
    assert kind_of(decode(form, value, table="refunds")) == "other table"
    assert isinstance(decode(form, value, table="shop.orders"), tuple)


@pytest.mark.parametrize(
    ("kind", "more", "op", "position", "snapshot"),
    [
        ("insert", {}, "insert", None, False),
        ("insert", {"position": "master.000006:800911"}, "insert", (6 << 32) + 800911, False),
        ("update", {"position": "bin.000001:4", "old": {"amount": 1}}, "update", (1 << 32) + 4, False),
        ("bootstrap-insert", {"position": "bin.000001:4"}, "read", None, True),
        ("insert", {"position": "nowhere"}, "insert", None, False),
        ("insert", {"position": 5}, "insert", None, False),
    ],
)
def test_maxwell_says_one_row_and_perhaps_its_place(
    kind: str, more: dict[str, Any], op: str, position: int | None, snapshot: bool
) -> None:
    (change,) = changes("maxwell", maxwell(kind, ROW | {"id": 7}, **more))
    assert (change.op, change.values, change.position, change.snapshot) == (op, ROW, position, snapshot)
    assert (change.table, change.event_ms, change.exact) == ("shop.orders", 1772352000000, False)


def test_a_number_with_a_fraction_of_maxwell_is_exact_or_rounded_as_declared() -> None:
    """Maxwell writes DECIMAL and DOUBLE alike: nobody can tell them apart but the source's owner."""
    value = maxwell("insert", ROW).replace(b'"19.90"', b"19.905")
    with pytest.raises(Refused, match=r"wire: number.*round: half_even"):
        decode("maxwell", value)
    assert changes("maxwell", value, wire="number")[0].values["amount"] == "19.905"
    assert changes("maxwell", value, round="half_even")[0].values["amount"] == "19.90"


def test_a_maxwell_delete_keeps_its_key_only() -> None:
    (change,) = changes("maxwell", maxwell("delete", ROW))
    assert (change.op, change.key_values, change.values) == ("delete", {"id": "7"}, {})


@pytest.mark.parametrize(
    ("form", "value", "problem", "hint"),
    [
        ("canal", canal("TRUNCATE", isDdl=True), "table shop.orders was truncated", "snapshot"),
        ("canal", canal("INSERT", data=None), "no canal message", "'data'"),
        ("canal", b'{"data":[{"id":1}]}', "no canal message", "INSERT"),
        ("canal", b'{"data":{"id":1},"type":"INSERT"}', "not the form of its kind", "connector"),
        ("canal", b'{"data":[5],"type":"INSERT"}', "not the form of its kind", "connector"),
        ("canal", canal("INSERT", {"member": "M1"}), "key column 'id'", "'key'"),
        ("canal", canal("DELETE", {"member": "M1"}), "key column 'id'", "'key'"),
        ("canal", b'{"op":"c","source":{},"after":{}}', "another format", "format.type: debezium"),
        ("canal", maxwell("insert", None), "another format", "format.type: maxwell"),
        ("canal", b'{"data":[{"id":' + b"[" * 5000, "too deeply", "who"),
        ("canal", b"\xff", "no JSON", "converter"),
        ("maxwell", maxwell("insert", {"member": "M1"}), "the key (id) is not in", "'key'"),
        ("maxwell", maxwell("insert", [1]), "not the form of its kind", "connector"),
        ("maxwell", maxwell("replace", ROW), "no maxwell message", "bootstrap"),
        ("maxwell", canal("INSERT", ROW), "not the form of its kind", "connector"),
        ("maxwell", canal("INSERT", data=None), "another format", "format.type: canal"),
        ("maxwell", b'{"schema":{},"payload":{}}', "another format", "format.type: debezium"),
        ("maxwell", b"null", "not the form of its kind", "connector"),
        ("maxwell", b'{"type":"insert","data":{"id":1,"at":', "no JSON", "converter"),
    ],
)
def test_what_is_no_change_is_refused_with_a_hint(form: str, value: bytes, problem: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        decode(form, value)
    assert problem in refused.value.problem
    assert hint in refused.value.hint
