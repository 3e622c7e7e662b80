"""Positions order the changes of a row as its database made them (semantics W1, W2)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cdc.positions import SourceBlock, binlog_position, position_of


def block(**parts: Any) -> SourceBlock:
    return SourceBlock(**parts)


def mysql(**parts: Any) -> SourceBlock:
    return block(**{"connector": "mysql", "file": "mysql-bin.000003", "pos": 154, "row": 0, **parts})


def sqlserver(lsn: Any, serial: Any = 1) -> SourceBlock:
    return block(connector="sqlserver", change_lsn=lsn, event_serial_no=serial)


def mongo(ms: Any, order: Any, **parts: Any) -> SourceBlock:
    return block(connector="mongodb", ts_ms=ms, ord=order, **parts)


@pytest.mark.parametrize(
    ("source", "position", "exact"),
    [
        (mysql(), (3 << 32) + 154, True),
        (mysql(row=2), (3 << 32) + 156, True),
        (mysql(row=None), (3 << 32) + 154, False),
        (mysql(connector="mariadb", file="mariadb-bin.2147483647", pos=2**32 - 1), (2**31 << 32) - 1, True),
        (mysql(connector=None), (3 << 32) + 154, True),
        (mysql(snapshot="true"), (3 << 32) + 154, True),
        (mysql(snapshot="incremental"), None, False),
        (mysql(file="", pos=0), None, False),
        (mysql(file="mysql-bin", pos=4), None, False),
        (mysql(pos=2**32), None, False),
        (mysql(pos="x"), None, False),
        (mysql(file=3), None, False),
        (block(connector="postgresql", lsn=24023128), 24023128, True),
        (block(connector="postgresql", lsn="24023128"), 24023128, True),
        (block(connector="postgresql", lsn=24023128, snapshot="true"), None, False),
        (block(connector="postgresql", lsn=None), None, False),
        (block(connector="postgresql", lsn=2**63), None, False),
        (block(connector="postgresql", lsn=-1), None, False),
        (block(connector="oracle", scn="2122185"), 2122185, False),
        (block(connector="oracle", scn="2122185", snapshot="last"), None, False),
        (block(scn=2122185), 2122185, False),
        (sqlserver("00000027:00000758:0003"), 0x27 << 39 | 0x758 << 15 | 3 << 2 | 1, True),
        (sqlserver("00000027:00000758:0003", "2"), 0x27 << 39 | 0x758 << 15 | 3 << 2 | 2, True),
        (sqlserver("00000027:00000758:0003", None), 0x27 << 39 | 0x758 << 15 | 3 << 2, False),
        (sqlserver("00ffffff:00ffffff:1fff", 3), 2**63 - 1, True),
        (sqlserver("01000000:00000758:0003"), None, False),
        (sqlserver("00000027:00000758:0003", 4), None, False),
        (sqlserver("00000027:00000758"), None, False),
        (sqlserver("x:y:z"), None, False),
        (sqlserver(None), None, False),
        (mongo(1558965508000, 31), 1558965508 << 31 | 31, True),
        (mongo(1558965508000, 31, snapshot="true"), 1558965508 << 31 | 31, True),
        (mongo(1558965508000, 31, txnNumber=1), 1558965508 << 31 | 31, False),
        (mongo(0, 1), None, False),
        (mongo(1558965508000000000, 1), None, False),
        (block(connector="db2", change_lsn="00000027:00000758:0003"), None, False),
        (block(connector="cockroachdb", lsn=5), None, False),
        (block(), None, False),
    ],
)  # fmt: skip
def test_a_position_is_one_number_or_none(source: SourceBlock, position: int | None, exact: bool) -> None:
    snapshot = source.snapshot not in (None, "false")
    assert position_of(source, snapshot) == (position, exact)


def test_rows_of_one_binlog_event_stay_before_the_next_event() -> None:
    """An event of n rows is at least its header and n bytes long."""
    last_row = binlog_position("b.000001", 1000, 499)[0]
    next_event = binlog_position("b.000001", 1000 + 19 + 500, 0)[0]
    next_file = binlog_position("b.000002", 4, 0)[0]
    assert last_row is not None
    assert next_event is not None
    assert next_file is not None
    assert last_row < next_event < next_file


LSN = st.tuples(
    st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1), st.integers(0, 2**13 - 1), st.integers(0, 3)
)


@given(LSN, LSN)
def test_positions_of_sql_server_are_in_the_order_of_their_parts(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    def packed(parts: tuple[int, int, int, int]) -> int:
        text = ":".join(f"{part:x}" for part in parts[:3])
        position, _ = position_of(sqlserver(text, parts[3]), snapshot=False)
        assert position is not None
        assert position < 2**63
        return position

    assert (packed(one) < packed(other)) == (one < other)
