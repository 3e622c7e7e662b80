"""What `bench.blocks` measures is the same work twice."""

from __future__ import annotations

import pytest

from bench import blocks
from streams.log.block import Block, decode_tables, encode_tables
from streams.log.write import append_stretch


def test_both_ways_come_to_the_same_rows() -> None:
    held = blocks.tables(64)
    assert sum(table.num_rows for table in held.values()) == 64
    assert decode_tables(encode_tables(held)) == held
    assert blocks.read_in_pool(blocks.packed_in_pool(held)) == list(held.values())


def test_what_is_cut_are_blocks_of_so_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Block] = []
    monkeypatch.setattr(blocks.Nowhere, "append", lambda _, block, holds: found.append(block))
    append_stretch(blocks.Nowhere(), blocks.stretch_of(blocks.tables(16), 16))
    assert [one.count for one in found] == [16] * 100
