"""Rows flattened by ExtractNewRecordState say what their metadata say, and a tombstone is their delete."""

from __future__ import annotations

from typing import Any

import pytest

from streams.cdc.change import Refused
from streams.cdc.open import open_decoder
from tests.streams.test_cdc_debezium import (
    MYSQL_POSITION,
    ROW,
    VALUES,
    decode,
    envelope,
    message,
    one,
    source,
)

FLAT = ROW | {"__op": "u", "__table": "orders", "__lsn": 24023128, "__source_ts_ms": 1772352000000}


@pytest.mark.parametrize(
    ("row", "op", "position", "exact", "table"),
    [
        (ROW, "upsert", None, False, ""),
        (FLAT, "update", 24023128, True, "orders"),
        (FLAT | {"__op": "c", "__deleted": "false"}, "insert", 24023128, True, "orders"),
        (FLAT | {"__op": "r"}, "read", None, False, "orders"),
        (FLAT | {"__op": None}, "upsert", None, False, "orders"),
        (ROW | {"__source_file": "b.000003", "__source_pos": 154, "__source_row": 2}, "upsert",
         MYSQL_POSITION, True, ""),
        (ROW | {"__file": "b.000003", "__pos": 154, "__op": "u", "__db": "shop", "__table": "orders"},
         "update", MYSQL_POSITION - 2, False, "shop.orders"),
        (ROW | {"op": "any", "status": "new"}, "upsert", None, False, ""),
    ],
)  # fmt: skip
def test_a_flattened_row_says_what_its_metadata_say(
    row: dict[str, Any], op: str, position: int | None, exact: bool, table: str
) -> None:
    change = one(decode(message(row)))
    assert (change.op, change.position, change.exact, change.table) == (op, position, exact, table)
    assert change.values == VALUES


def test_a_flattened_insert_with_an_unavailable_value_is_refused_and_an_update_lacks_it() -> None:
    lost = FLAT | {"note": "__debezium_unavailable_value"}
    assert one(decode(message(lost))).missing == {"note"}
    assert one(decode(message(lost | {"__op": None}))).missing == {"note"}
    for op in ("c", "r"):
        with pytest.raises(Refused, match="without all of its values"):
            decode(message(lost | {"__op": op}))


def test_a_delete_is_not_refused_for_values_that_do_not_count() -> None:
    for value in (
        envelope("d", before=ROW | {"amount": 1.5}),
        message(ROW | {"amount": 1.5, "at": 5, "__deleted": "true"}),
    ):
        assert one(decode(value)).key_values == {"id": "7"}


def test_rows_of_one_stream_may_carry_different_metadata() -> None:
    rows = [
        ROW,
        FLAT,
        FLAT | {"__op": None},
        ROW | {"__op": "u", "__table": "orders", "__scn": "5", "__source_ts_ms": 7},
        ROW | {"__op": "c", "__lsn": 9, "__db": "pg", "__deleted": "false"},
        FLAT,
        ROW,
    ]
    decoder = open_decoder(source())
    assert [decoder.decode(None, message(row)) for row in rows] == [decode(message(row)) for row in rows]


def test_a_flattened_delete_keeps_its_key_only() -> None:
    for row in ({"id": 7, "member": None, "__deleted": "true"}, {"id": 7, "__op": "d"}):
        change = one(decode(message(row)))
        assert (change.op, change.key_values, change.values) == ("delete", {"id": "7"}, {})


def test_metadata_may_be_columns_of_the_source() -> None:
    """A table without a time of its own may take the database's."""
    of = source(event_time={"column": "__source_ts_ms", "format": "epoch_ms"})
    change = one(decode(message(FLAT), of=of))
    assert change.values["__source_ts_ms"] == "1772352000000"
    assert change.event_ms == 1772352000000
