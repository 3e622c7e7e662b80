"""Writes a stretch of records into the log: cut by partition, numbered, packed into blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.log.block import BLOCK_BYTES, BLOCK_RECORDS, CONTROL, TEXT_CODES, Block, encode_tables

Int64s = NDArray[np.int64]
_FIRST = [pa.field(name, pa.int32(), nullable=False) for name in ("ordinal", "minute")]
_MOST_TEXT = 1 << 30


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
    cutting = _Cutting.of(stretch)
    written = 0
    for part, start, end in zip(parts.tolist(), starts.tolist(), ends.tolist(), strict=True):
        first_step = log.next_step(part)
        for low in range(start, end, largest):
            records = order[low : min(low + largest, end)]
            _append_blocks(log, cutting, part, first_step, records)
            steps[records] = first_step + np.arange(len(records))
            first_step += len(records)
            written += len(records)
            if progress is not None:
                progress(written)
    return steps


@dataclass(frozen=True)
class _Cutting:
    """A stretch made ready once, to be cut into blocks, which may be many and small.

    place: each record's row within its own table; batches: by table, its rows in one piece, texts as they are
    in blocks, but for their codes, which are each block's own; schemas: of a block's tables; texts: which
    columns of a block's tables get codes, and which have 64-bit offsets still.
    """

    stretch: Stretch
    place: Int64s
    batches: list[pa.RecordBatch]
    schemas: list[pa.Schema]
    texts: list[tuple[list[int], list[int]]]

    @classmethod
    def of(cls, stretch: Stretch) -> _Cutting:
        batches = [_in_one_piece(stretch.tables[name]) for name in stretch.names]
        schemas = [pa.schema([*_FIRST, *map(_packed, stretch.tables[name].schema)]) for name in stretch.names]
        texts = [
            ([at for at, one in enumerate(schema) if one.type == TEXT_CODES],
             [at + len(_FIRST) for at, one in enumerate(batch.schema) if pa.types.is_large_string(one.type)])
            for batch, schema in zip(batches, schemas, strict=True)
        ]  # fmt: skip
        return cls(stretch, _places(stretch.table, len(stretch.names)), batches, schemas, texts)

    def table(self, number: int, ordinals: Int64s, records: Int64s) -> pa.Table:
        """Return the rows of one table: those records' that are at these places of a block.

        They are copied: a slice would be written with what follows it in its padding, which may be another
        partition's.
        """
        mine, (coded, wide) = records[ordinals], self.texts[number]
        columns = [
            pa.array(ordinals.astype(np.int32)), pa.array(self.stretch.minute[mine].astype(np.int32)),
            *self.batches[number].take(pa.array(self.place[mine])).columns,
        ]  # fmt: skip
        for at in wide:
            columns[at] = columns[at].cast(pa.utf8())
        for at in coded:
            columns[at] = columns[at].dictionary_encode()
        return pa.Table.from_arrays(columns, schema=self.schemas[number])


def _in_one_piece(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch, its texts with 32-bit offsets unless they are too long together."""
    names, columns = table.column_names, []
    for column in table.columns:
        whole = column.combine_chunks()
        is_long = pa.types.is_large_string(whole.type)
        columns.append(whole.cast(pa.utf8()) if is_long and whole.nbytes < _MOST_TEXT else whole)
    return pa.RecordBatch.from_arrays(columns, names=names)


def _packed(field: pa.Field) -> pa.Field:
    """Return what a field of a stretch is in blocks: a declared text has codes."""
    if not pa.types.is_large_string(field.type):
        return field
    return pa.field(field.name, pa.utf8() if field.name == "reference" else TEXT_CODES)


def _places(table: Int64s, tables: int) -> Int64s:
    """Return each record's row within its own table."""
    place = np.empty(len(table), dtype=np.int64)
    for number in range(tables):
        mine = table == number
        place[mine] = np.arange(int(mine.sum()))
    return place


def _append_blocks(
    log: Appendable, cutting: _Cutting, partition: int, first_step: int, records: Int64s
) -> None:
    """Append records as one block; as two halves, and so on, where that is too large for a message."""
    block, holds = _block(cutting, partition, first_step, records)
    if len(block.payload) <= BLOCK_BYTES or len(records) == 1:
        log.append(block, holds)
        return
    half = len(records) // 2
    _append_blocks(log, cutting, partition, first_step, records[:half])
    _append_blocks(log, cutting, partition, first_step + half, records[half:])


def _block(
    cutting: _Cutting, partition: int, first_step: int, records: Int64s
) -> tuple[Block, list[str]]:
    tables: dict[str, pa.Table] = {}
    holds: list[str] = []
    stretch = cutting.stretch
    minutes, table = stretch.minute[records], stretch.table[records]
    for number in np.unique(table).tolist():
        name = stretch.names[number]
        tables[name] = rows = cutting.table(number, np.flatnonzero(table == number), records)
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
