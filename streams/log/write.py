"""Writes a stretch of records into the log: cut by partition, numbered, packed into blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.log.block import BLOCK_BYTES, BLOCK_RECORDS, CONTROL, Block, encode_tables, with_text_codes

Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Stretch:
    """Records of one mode in their order, of all partitions.

    partition, minute: int64, shape (records,); table: int64, which of ``names`` each record belongs to;
    tables: for each name its records, in the same order, without ``ordinal`` and ``minute``.
    """

    mode: str
    partition: Int64s
    minute: Int64s
    table: Int64s
    names: list[str]
    tables: Mapping[str, pa.Table]


class Appendable(Protocol):
    """What takes blocks: a log, or what stands for one."""

    def next_step(self, partition: int) -> int:
        """Return the step of the partition's next record."""

    def append(self, block: Block, holds: list[str]) -> None:
        """Take a block that begins there."""


def append_stretch(
    log: Appendable, stretch: Stretch, progress: Callable[[int], None] | None = None,
    most: int | None = None,
) -> Int64s:  # fmt: skip
    """Append the records inside the caller's transaction; return each one's step, int64.

    Blocks have at most ``most`` records (4,096 when absent), and 512 KB, or one record.
    progress: called with the number of records written so far.
    """
    largest = BLOCK_RECORDS if most is None else most
    order = np.argsort(stretch.partition, kind="stable")
    parts, starts = np.unique(stretch.partition[order], return_index=True)
    ends = np.append(starts[1:], len(order))[: len(parts)]
    steps = np.empty(len(order), dtype=np.int64)
    place = _places(stretch.table, len(stretch.names))
    written = 0
    for part, start, end in zip(parts.tolist(), starts.tolist(), ends.tolist(), strict=True):
        first_step = log.next_step(part)
        for low in range(start, end, largest):
            records = order[low : min(low + largest, end)]
            _append_blocks(log, stretch, part, first_step, records, place)
            steps[records] = first_step + np.arange(len(records))
            first_step += len(records)
            written += len(records)
            if progress is not None:
                progress(written)
    return steps


def _places(table: Int64s, tables: int) -> Int64s:
    """Return each record's row within its own table."""
    place = np.empty(len(table), dtype=np.int64)
    for number in range(tables):
        mine = table == number
        place[mine] = np.arange(int(mine.sum()))
    return place


def _append_blocks(
    log: Appendable, stretch: Stretch, partition: int, first_step: int, records: Int64s, place: Int64s
) -> None:
    """Append records as one block; as two halves, and so on, where that is too large for a message."""
    block, holds = _block(stretch, partition, first_step, records, place)
    if len(block.payload) <= BLOCK_BYTES or len(records) == 1:
        log.append(block, holds)
        return
    half = len(records) // 2
    _append_blocks(log, stretch, partition, first_step, records[:half], place)
    _append_blocks(log, stretch, partition, first_step + half, records[half:], place)


def _block(
    stretch: Stretch, partition: int, first_step: int, records: Int64s, place: Int64s
) -> tuple[Block, list[str]]:
    tables: dict[str, pa.Table] = {}
    holds: list[str] = []
    minutes = stretch.minute[records]
    for number in np.unique(stretch.table[records]).tolist():
        name = stretch.names[number]
        ordinals = np.flatnonzero(stretch.table[records] == number)
        rows = stretch.tables[name].take(pa.array(place[records[ordinals]]))
        rows = rows.add_column(
            0, pa.field("ordinal", pa.int32(), nullable=False), pa.array(ordinals, pa.int32())
        )
        minute = pa.array(minutes[ordinals], pa.int32())
        tables[name] = with_text_codes(
            rows.add_column(1, pa.field("minute", pa.int32(), nullable=False), minute)
        )
        holds += [f"!{kind}" for kind in rows["kind"].unique().to_pylist()] if name == CONTROL else [name]
    block = Block(
        partition,
        first_step,
        len(records),
        stretch.mode,
        int(minutes[0]),
        int(minutes[-1]),
        encode_tables(tables),
    )
    return block, sorted(holds)
