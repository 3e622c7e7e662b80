"""The tables that a server gets, in today's engine in this process, and literals for servers of old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pyarrow as pa
import pytest

from sinks.history.answer import as_table
from sinks.history.connection import Connection
from sinks.history.history import EFFECTS
from sinks.history.parameters import with_values
from sinks.history.schema import Tier
from sinks.history.server_tables import server_tables, tier_of
from streams.errors import InputError

SCHEMA = pa.schema([("amount", pa.int64()), ("状态", pa.utf8())])
ORDERS = "changes_订单"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Connection]:
    connection = Connection(tmp_path / "engine")
    connection.do("CREATE DATABASE d ENGINE = Atomic")
    connection.use("d")
    yield connection
    connection.close()


def make(engine: Connection, name: str, tier: Tier) -> None:
    tables = server_tables(name, SCHEMA, "Asia/Shanghai", tier)
    for table in (tables.kept, *tables.views):
        engine.do(table.create(tier))


def insert(engine: Connection, step: int, token: str = "") -> None:
    settings = f"SETTINGS insert_deduplicate = 1, insert_deduplication_token = '{token}' " if token else ""
    engine.do(
        f"INSERT INTO `kept_{ORDERS}` (partition, step, minute, customer, key_low, event_us, amount, `状态`) "
        f"{settings}VALUES (0, {step}, 29538241, 'c', {step}, 1772294460123456, 5, '已付款')"
    )


@pytest.mark.parametrize("tier", ["modern", "core"])
def test_a_row_that_came_twice_is_shown_once_and_has_its_times(engine: Connection, tier: Tier) -> None:
    make(engine, ORDERS, tier)
    for step in (0, 1, 0):
        insert(engine, step)
    question = f"SELECT step, toString(at) AS at, toString(event_time) AS event_time FROM `{ORDERS}`"
    rows = engine.ask(f"{question} ORDER BY step").to_pylist()
    event_time = {"modern": "2026-03-01 00:01:00.123456", "core": "2026-03-01 00:01:00"}[tier]
    assert rows == [{"step": step, "at": "2026-03-01 00:01:00", "event_time": event_time} for step in (0, 1)]
    assert engine.ask("SELECT count() AS n FROM `rows_订单`").to_pylist() == [{"n": 2}]


def test_a_new_server_knows_an_insert_by_its_token(engine: Connection) -> None:
    make(engine, ORDERS, "modern")
    for token in ("0:0-0", "0:0-0", "0:1-1"):
        insert(engine, 0, token)
    assert engine.ask(f"SELECT count() AS n FROM `kept_{ORDERS}`").to_pylist() == [{"n": 2}]


def test_a_new_server_takes_all_tables(engine: Connection) -> None:
    for name in (EFFECTS, "controls"):
        make(engine, name, "modern")
    assert engine.ask("SELECT count() AS n FROM decisions").to_pylist() == [{"n": 0}]


def test_the_core_uses_nothing_that_clickhouse_18_lacks() -> None:
    made = [server_tables(name, SCHEMA, "UTC", "core") for name in (ORDERS, "controls", EFFECTS)]
    statements = [table.create("core") for tables in made for table in (tables.kept, *tables.views)]
    newer = (
        r"DateTime64|LowCardinality|CODEC|TTL|Map\(|JSON|bloom_filter|fsync|OVER|OR REPLACE|fromUnix|window"
    )
    assert [text for text in statements if re.search(newer, text)] == []
    assert len(statements) == 9


def test_a_table_stays_of_the_tier_in_which_it_was_made() -> None:
    for tier in ("core", "modern"):
        kept = server_tables("controls", SCHEMA, "UTC", tier).kept
        assert tier_of({column.name: column.type for column in kept.columns}) == tier


@pytest.mark.parametrize(
    "quoted",
    [
        "'{x:String}'", '"{x:String}"', "`{x:String}`", "-- {x:String}\n1", "/* {x:String} */",
        r"'\'{x:String}'", "$$ {x:String} $$", "$a$ $$ {x:String} $a$", "'{x:String}", "/* {x:String}",
        "'it''s {x:String}'",
    ],
)  # fmt: skip
def test_a_placeholder_within_quotes_is_none(quoted: str) -> None:
    assert with_values(f"SELECT {quoted}", {"x": "value"}) == f"SELECT {quoted}"


def test_a_value_stays_within_its_quotes() -> None:
    told = with_values("SELECT {x:Array(Nullable(String))}", {"x": "\\' OR 1 -- \n"})
    assert told == r"SELECT CAST('\\\' OR 1 -- \n' AS Array(Nullable(String)))"
    with pytest.raises(InputError, match="`y` is not set"):
        with_values("SELECT {y:Int64}", {"x": 1})


def test_an_answer_of_a_kind_that_arrow_lacks_is_text() -> None:
    table = as_table(["a", "b"], ["Array(Int8)", "Odd"], [[[1], []], [ip_address("10.0.0.1"), None]], "UTC")
    assert table.to_pylist() == [{"a": [1], "b": "10.0.0.1"}, {"a": [], "b": None}]
