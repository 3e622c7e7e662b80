"""What `bench.blocks` measures is the same work twice."""

from __future__ import annotations

from bench import blocks
from streams.log.block import decode_tables, encode_tables


def test_both_ways_come_to_the_same_rows() -> None:
    held = blocks.tables(64)
    assert sum(table.num_rows for table in held.values()) == 64
    assert decode_tables(encode_tables(held)) == held
    assert blocks.read_in_pool(blocks.packed_in_pool(held)) == list(held.values())
