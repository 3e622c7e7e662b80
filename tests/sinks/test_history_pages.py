"""The relay's pure part: blocks and effects as pages."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pytest

from engine.outcome import Decision, Transition
from sinks.history.history import EFFECTS
from sinks.history.pages import of_blocks, of_effects
from sinks.history.schema import tables_for
from streams.errors import InputError
from streams.log.block import Block, encode_tables
from tests.sinks.history_shop import SHOP, decision, fill, transition
from tests.streams.small_shop import new_log


def block(first_step: int, tables: dict[str, pa.Table], mode: str = "live") -> Block:
    count = sum(table.num_rows for table in tables.values())
    return Block(2, first_step, count, mode, 0, 9, encode_tables(tables))


def records(ordinals: list[int], customers: list[bytes | None], **columns: pa.Array) -> pa.Table:
    return pa.table({
        "ordinal": pa.array(ordinals, pa.int32()), "minute": pa.array(ordinals, pa.int32()),
        "customer": pa.array(customers, pa.binary(16)), **columns,
    })  # fmt: skip


def test_blocks_become_a_page_of_each_table_with_steps_modes_and_hexadecimal_customers() -> None:
    first = {
        "订单": records([0, 2], [bytes(range(16)), b"\xff" * 16], op=pa.array([1, 3], pa.int8())),
        "!control": records([1], [None], kind=pa.array(["tick"]), body=pa.array(["{}"])),
    }
    second = {
        "订单": records(
            [0], [b"a" * 16], op=pa.array([5], pa.int8()), 状态=pa.array(["好"]).dictionary_encode()
        )
    }
    pages = of_blocks([block(10, first, "import"), block(13, second)])
    assert {name: (page.partition, page.first, page.last) for name, page in pages.items()} == {
        "changes_订单": (2, 10, 13), "controls": (2, 10, 13),
    }  # fmt: skip
    assert pages["changes_订单"].table.to_pylist() == [
        {"partition": 2, "step": 10, "minute": 0, "mode": "import", "customer": bytes(range(16)).hex(),
         "op": "insert", "状态": None},
        {"partition": 2, "step": 12, "minute": 2, "mode": "import", "customer": "ff" * 16, "op": "delete",
         "状态": None},
        {"partition": 2, "step": 13, "minute": 0, "mode": "live", "customer": "61" * 16, "op": "move out",
         "状态": "好"},
    ]  # fmt: skip
    assert pages["controls"].table["customer"].to_pylist() == [""]


def test_every_record_of_a_log_is_in_exactly_one_page(tmp_path: Path) -> None:
    with new_log(tmp_path, 4) as log:
        fill(log, tmp_path)
        for partition in range(4):
            pages = of_blocks(list(log.blocks(partition)))
            steps = sorted(step for page in pages.values() for step in page.table["step"].to_pylist())
            assert steps == list(range(log.next_step(partition)))
            assert set(pages) == {"changes_orders", "changes_包裹", "controls"}
    assert SHOP.sources["agreed"].kind == "consent"  # its rows are control records


@pytest.mark.parametrize("name", ["partition", "step", "mode"])
def test_a_column_named_like_one_of_every_record_is_refused(name: str) -> None:
    table = records([0], [b"a" * 16], **{name: pa.array([1])})
    with pytest.raises(InputError, match=f"source '订单': history has a column '{name}' itself"):
        of_blocks([block(0, {"订单": table})])


def test_a_column_that_changes_its_type_between_blocks_is_refused() -> None:
    tables = [
        records([0], [b"a" * 16], size=column)
        for column in (pa.array([1]), pa.array(["L"]).dictionary_encode())
    ]
    with pytest.raises(InputError, match="column 'size' was int64 and is string now"):
        of_blocks([block(step, {"订单": table}) for step, table in enumerate(tables)])


def test_effects_have_the_fields_of_the_engines_records() -> None:
    assert set(transition(0, 0)) == {field.name for field in fields(Transition)}
    assert set(decision(0, 0)) == {field.name for field in fields(Decision)}
    stored = {column.name for column in tables_for(EFFECTS, pa.schema([]), "UTC", "core")[0].columns} - {"at"}
    assert set(of_effects([transition(0, 0)]).table.column_names) == stored
    both = set(transition(0, 0)) | set(decision(0, 0))
    assert stored == both - {"trigger"} | {"kind"}  # a trigger's name stands under 'what'


def test_effects_become_one_page_in_which_their_kinds_are_told() -> None:
    page = of_effects([transition(3, 7, before="银", after="金"), decision(3, 8)])
    assert (page.partition, page.first, page.last) == (3, 7, 8)
    told = page.table.select(["kind", "what", "change", "before", "id", "cause", "figures"]).to_pylist()
    assert told == [
        {"kind": "transition", "what": "高价值客户", "change": "enter", "before": "银", "id": "", "cause": "",
         "figures": ""},
        {"kind": "decision", "what": "vip_welcome", "change": "", "before": None, "id": f"{8:032x}",
         "cause": '{"minute":29538000}', "figures": "{}"},
    ]  # fmt: skip
