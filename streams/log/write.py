"""Writes a stretch of records into the log: cut by partition, numbered, packed into blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.log.block import BLOCK_RECORDS, CONTROL, Block, encode_tables, with_text_codes
from streams.log.log import Log

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


def append_stretch(log: Log, stretch: Stretch, progress: Callable[[int], None] | None = None) -> Int64s:
    """Append the records inside the caller's transaction; return each one's step, int64.

    Blocks have at most 4,096 records. progress: called with the number of records written so far.
    """
    order = np.argsort(stretch.partition, kind="stable")
    parts, starts = np.unique(stretch.partition[order], return_index=True)
    ends = np.append(starts[1:], len(order))[: len(parts)]
    steps = np.empty(len(order), dtype=np.int64)
    place = _places(stretch.table, len(stretch.names))
    written = 0
    for part, start, end in zip(parts.tolist(), starts.tolist(), ends.tolist(), strict=True):
        first_step = log.next_step(part)
        for low in range(start, end, BLOCK_RECORDS):
            records = order[low : min(low + BLOCK_RECORDS, end)]
            _append_block(log, stretch, part, first_step, records, place)
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


def _append_block(
    log: Log, stretch: Stretch, partition: int, first_step: int, records: Int64s, place: Int64s
) -> None:
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
    log.append(block, sorted(holds))
