"""The log's file: blocks, one writer, reading from a step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from streams.control import Control
from streams.errors import InputError
from streams.live import append_controls, append_ticks
from streams.log.block import BLOCK_BYTES, Block, decode_tables, encode_tables
from streams.log.log import FILE_NAME, Log
from streams.log.rows import read_control, read_rows
from tests.streams.small_shop import new_log, rows, shop, source, take

SHOP = shop()
ORDERS = "id,member,phone,at,amount,status\n" + "\n".join(
    f"A{n},{n % 5},,2026-03-01 10:{n:02d},{n},paid" for n in range(20)
)


def test_tables_survive_the_container() -> None:
    tables = {"上": pa.table({"a": [1, None], "b": pa.array(["x", None]).dictionary_encode()}),
              "!control": pa.table({"c": [b"1"]})}  # fmt: skip
    payload = encode_tables(tables)
    assert decode_tables(payload) == tables
    assert list(decode_tables(payload, only=["上"])) == ["上"]
    assert encode_tables(dict(reversed(tables.items()))) == payload


def test_a_damaged_block_is_noticed() -> None:
    payload = encode_tables({"a": pa.table({"a": [1]})})
    for damaged in (payload[:-1], b"XXXX" + payload[4:]):
        with pytest.raises(InputError, match="restore it from a copy"):
            decode_tables(damaged)


def test_the_header_is_kept_and_a_second_log_refused(tmp_path: Path) -> None:
    """P1: P stands in the header."""
    new_log(tmp_path, 4).close()
    with Log.open(tmp_path) as log:
        assert (log.shop, log.partitions, log.next_steps(), log.clock()) == ("small", 4, [0] * 4, None)
    with pytest.raises(InputError, match="there is a log already"):
        Log.create(tmp_path, "small", 1)
    with pytest.raises(InputError, match="there is no log here: import something first"):
        Log.open(tmp_path / "elsewhere")


def test_another_process_that_wants_to_write_is_refused_and_reading_is_not(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from streams.log.log import Log; from streams.errors import InputError\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with Log.open(folder) as log: sys.stdout.write(f'reads {log.partitions}; ')\n"
        "try: Log.open(folder, write=True)\n"
        "except InputError as error: sys.stdout.write(str(error))\n"
    )
    root = Path(__file__).parents[2]
    with new_log(tmp_path) as log:
        append_ticks(log, 5)
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.startswith("reads 1; ")
    assert "is writing this log: wait until it ends, or stop it" in done.stdout
    Log.open(tmp_path, write=True).close()  # free again


def test_a_log_of_another_format_is_refused(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.connection.execute("UPDATE header SET value = '0' WHERE name = 'format'")
    with pytest.raises(InputError, match="the log has format 0, not 3"):
        Log.open(tmp_path)


def test_a_log_opened_for_reading_writes_nothing(tmp_path: Path) -> None:
    new_log(tmp_path).close()
    with Log.open(tmp_path) as log, pytest.raises(InputError, match="open for reading only"):
        append_ticks(log, 5)


def test_blocks_follow_one_another_without_a_gap(tmp_path: Path) -> None:
    """T4: steps are dense."""
    with new_log(tmp_path) as log:
        append_ticks(log, 5)
        with pytest.raises(ValueError, match="begins at 3, not 1"), log.transaction():
            log.append(Block(0, 3, 1, "live", 6, 6, b""), ["!tick"])


def test_a_block_ends_where_a_message_would_become_too_large(tmp_path: Path) -> None:
    """Four thousand rows with long texts were one message, more than Kafka takes; one row may be larger."""
    random = Random(7)
    bodies = [random.randbytes(3_000).hex() for _ in range(300)] + [random.randbytes(600_000).hex()]
    with new_log(tmp_path, 1) as log:
        append_controls(log, [Control("note", None, body) for body in bodies], 1)
        blocks = list(log.blocks(0))
        assert read_control(log, kinds=["note"])["body"].tolist() == bodies
    assert [one.first_step for one in blocks[1:]] == [one.first_step + one.count for one in blocks[:-1]]
    assert all(len(one.payload) <= BLOCK_BYTES for one in blocks if one.count > 1)
    assert {one.count for one in blocks} > {1}
    assert max(len(one.payload) for one in blocks) > BLOCK_BYTES


def test_blocks_are_read_from_and_to_a_step(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        for minute in range(6):
            append_controls(log, [Control("settings", None, f'{{"n":{minute}}}')] * 3, minute)
        firsts = [block.first_step for block in log.blocks(0, 4, 10)]
        assert firsts == [3, 6, 9]
        assert [block.first_step for block in log.blocks(0, 0, 1)] == [0]
        assert [block.first_step for block in log.blocks(0, 17)] == [15]
        assert list(log.blocks(0, 18)) == []
        assert list(log.blocks(0, holding="!tick")) == []
        assert len(list(log.blocks(0, holding="!settings"))) == 6


def test_frames_may_end_at_a_minute_or_at_steps(tmp_path: Path) -> None:
    """L5: up to just before advance(T + 1)."""
    with new_log(tmp_path, 4) as log:
        take(log, SHOP, tmp_path, orders=ORDERS)
        whole = rows(log, SHOP, "orders")
        minutes = sorted(whole["minute"])
        early = read_rows(log, SHOP.sources["orders"], until_minute=minutes[9])
        assert sorted(early["minute"]) == minutes[:10]
        cut = read_rows(log, SHOP.sources["orders"], until_step=[3] * 4)
        assert cut["step"].max() < 3
        control = read_control(log, until_step=[3] * 4, until_minute=minutes[9])
        assert len(cut) + len(read_control(log, until_step=[3] * 4)) == sum(
            min(3, n) for n in log.next_steps()
        )
        assert control["minute"].max() <= minutes[9]


def test_a_column_that_is_declared_later_is_null_before(tmp_path: Path) -> None:
    """G4: old blocks do not have it."""
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=ORDERS)
        declared = SHOP.sources["orders"].model_dump(by_alias=True)
        declared["columns"]["size"] = {"type": "int"}
        frame = read_rows(log, source("orders", declared))
    assert frame["size"].isna().all()
    assert str(frame["size"].dtype) == "Int64"
    assert str(frame["status"].dtype) == "string"


def test_an_empty_log_gives_empty_frames_of_the_right_columns(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        frame = rows(log, SHOP, "orders")
        assert len(frame) == len(read_control(log)) == 0
    assert list(frame.columns)[:5] == ["partition", "step", "minute", "mode", "op"]
    assert (tmp_path / FILE_NAME).exists()
