"""A stretch cut into blocks: each has its rows, and nothing of others'."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from streams.log import write
from streams.log.block import ROW_FIELDS, TEXT_CODES, Block
from streams.log.write import Stretch, append_stretch

CITIES = ["京", None, "Köln", "京", "a very long name of a city", ""]


class Blocks:
    """What takes them."""

    def __init__(self) -> None:
        self.found: list[tuple[Block, list[str]]] = []

    def next_step(self, partition: int) -> int:
        return 10 * partition

    def append(self, block: Block, holds: list[str]) -> None:
        self.found.append((block, holds))


def rows(count: int, first: int) -> pa.Table:
    given = {field: pa.array([first + at for at in range(count)], field.type)
             for field in ROW_FIELDS[2:] if pa.types.is_integer(field.type)}  # fmt: skip
    given[ROW_FIELDS[3]] = pa.array([bytes([at]) * 16 for at in range(count)], pa.binary(16))
    columns = {field.name: column for field, column in given.items()}
    columns["reference"] = pa.array([f"member:M{first + at}" for at in range(count)], pa.large_string())
    columns["city"] = pa.array([CITIES[(first + at) % 6] for at in range(count)], pa.large_string())
    columns["amount"] = pa.array([None if at % 3 else at for at in range(count)], pa.int64())
    return pa.table(columns)


def cut(most: int | None = None, beside: str = "") -> list[tuple[Block, list[str]]]:
    """Return the blocks of fifty records in three partitions. beside: behind each reference of all but the
    first one's."""
    table = np.array([0, 1] * 20 + [0] * 10, dtype=np.int64)
    partition = np.arange(50, dtype=np.int64) % 3
    halves = [rows(15, 0), rows(15, 15)]  # a table may come in pieces
    tables = {"orders": pa.concat_tables(halves), "views": rows(20, 100)}
    for number, name in enumerate(tables):
        whose = partition[table == number].tolist()
        said = zip(tables[name]["reference"].to_pylist(), whose, strict=True)
        texts = pa.array([one + (beside if part else "") for one, part in said], pa.large_string())
        place = tables[name].column_names.index("reference")
        tables[name] = tables[name].set_column(place, "reference", texts)
    stretch = Stretch("live", partition, np.arange(50, dtype=np.int64), table, ["orders", "views"], tables)
    blocks = Blocks()
    append_stretch(blocks, stretch, most=most)
    return blocks.found


def test_every_record_is_in_the_block_of_its_partition_in_order() -> None:
    found = cut(most=7)
    assert [(one.partition, one.first_step, one.count) for one, _ in found] == [
        (0, 0, 7), (0, 7, 7), (0, 14, 3), (1, 10, 7), (1, 17, 7), (1, 24, 3),
        (2, 20, 7), (2, 27, 7), (2, 34, 2),
    ]  # fmt: skip
    seen: dict[int, list[tuple[str, str | None, int | None, int]]] = {0: [], 1: [], 2: []}
    for block, holds in found:
        tables = block.tables()
        assert sorted(tables) == holds
        for table in tables.values():
            assert table.schema.field("city").type == TEXT_CODES
            assert table.schema.field("reference").type == pa.utf8()
        lines = sorted(
            (ordinal, reference, city, amount, minute)
            for table in tables.values()
            for ordinal, reference, city, amount, minute in zip(
                *(table[one].to_pylist() for one in ("ordinal", "reference", "city", "amount", "minute")),
                strict=True,
            )
        )  # fmt: skip
        assert [one[0] for one in lines] == list(range(block.count))
        seen[block.partition] += [one[1:] for one in lines]
    wanted: dict[int, list[tuple[str, str | None, int | None, int]]] = {0: [], 1: [], 2: []}
    orders, views = [*rows(15, 0).to_pylist(), *rows(15, 15).to_pylist()], rows(20, 100).to_pylist()
    for record in range(50):
        row = views.pop(0) if record % 2 and record < 40 else orders.pop(0)
        wanted[record % 3].append((row["reference"], row["city"], row["amount"], record))
    assert seen == wanted


def test_texts_that_are_long_together_come_to_the_same_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cut()
    monkeypatch.setattr(write, "_MOST_TEXT", 0)
    assert cut() == before


def test_a_block_has_nothing_of_the_rows_beside_it() -> None:
    """Nor in its padding: those may be another partition's."""
    plain, other = ([one for one, _ in cut(most=3, beside=beside) if one.partition == 0]
                    for beside in ("", " who is somebody else"))  # fmt: skip
    assert plain == other
