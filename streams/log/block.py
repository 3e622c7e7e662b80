"""Blocks: a stretch of one partition's log as Arrow tables in a small framed container."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streams.errors import InputError

CONTROL = "!control"
BLOCK_RECORDS, BLOCK_BYTES = 4096, 512 << 10  # a block ends at whichever comes first
_MAGIC = b"TTB1"
_COUNT = struct.Struct("<I")
_ENTRY = struct.Struct("<HQ")  # bytes of the name, bytes of the table
# Most tables are small: handing their columns to other threads costs more than packing them.
_WRITING = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_READING = pa.ipc.IpcReadOptions(use_threads=False)

# The columns that every source's table begins with; its declared columns follow.
ROW_FIELDS = (
    pa.field("ordinal", pa.int32(), nullable=False),
    pa.field("minute", pa.int32(), nullable=False),
    pa.field("op", pa.int8(), nullable=False),
    pa.field("customer", pa.binary(16), nullable=False),
    pa.field("key_high", pa.int64(), nullable=False),
    pa.field("key_low", pa.int64(), nullable=False),
    pa.field("epoch", pa.int32(), nullable=False),
    pa.field("position", pa.int64(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
    pa.field("event_us", pa.int64(), nullable=False),
    pa.field("reference", pa.utf8()),
)
CONTROL_FIELDS = (
    pa.field("ordinal", pa.int32(), nullable=False),
    pa.field("minute", pa.int32(), nullable=False),
    pa.field("kind", pa.utf8(), nullable=False),
    pa.field("customer", pa.binary(16)),
    pa.field("body", pa.utf8(), nullable=False),
)
_WRITTEN_BY_LOG = 2  # ordinal and minute stand first and are the log's to fill
TEXT_CODES = pa.dictionary(pa.int32(), pa.utf8())


@dataclass(frozen=True)
class Block:
    """Records ``first_step`` to ``first_step + count - 1`` of a partition, all of one mode."""

    partition: int
    first_step: int
    count: int
    mode: str
    first_minute: int
    last_minute: int
    payload: bytes

    @property
    def minute(self) -> int | None:
        """The minute that all records have, whatever their writer could know of it; None: several."""
        return self.first_minute if self.first_minute >= self.last_minute else None

    def tables(self, only: Collection[str] | None = None) -> dict[str, pa.Table]:
        """Return the tables by source name (``!control`` for control records), or only those named."""
        tables, minute = decode_tables(self.payload, only), self.minute
        return tables if minute is None else {name: _at(table, minute) for name, table in tables.items()}


def _at(table: pa.Table, minute: int) -> pa.Table:
    """Return a table whose records all have a minute; they have one in common."""
    if table.num_rows == 0 or table["minute"][0].as_py() == minute:
        return table
    place = table.column_names.index("minute")
    minutes = pa.array(np.full(table.num_rows, minute, dtype=np.int32))
    return table.set_column(place, table.schema.field(place), minutes)


def encode_tables(tables: Mapping[str, pa.Table]) -> bytes:
    """Write the tables, in the order of their names. Text columns should be dictionaries already."""
    names = sorted(tables)
    streams: list[bytes] = []
    for name in names:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, tables[name].schema, options=_WRITING) as writer:
            writer.write_table(tables[name])
        streams.append(sink.getvalue().to_pybytes())
    parts = [_MAGIC, _COUNT.pack(len(names))]
    for name, stream in zip(names, streams, strict=True):
        parts += [_ENTRY.pack(len(name.encode()), len(stream)), name.encode()]
    return b"".join(parts + streams)


def decode_tables(payload: bytes, only: Collection[str] | None = None) -> dict[str, pa.Table]:
    """Read the tables of a container. Raises InputError if it is none, or is cut short."""
    entries, at = _directory(payload)
    tables: dict[str, pa.Table] = {}
    for name, size in entries:
        if only is None or name in only:
            with pa.ipc.open_stream(pa.py_buffer(payload).slice(at, size), options=_READING) as reader:
                tables[name] = reader.read_all()
        at += size
    return tables


def _directory(payload: bytes) -> tuple[list[tuple[str, int]], int]:
    hint = "the log is damaged: restore it from a copy"
    if payload[:4] != _MAGIC:
        raise InputError("block", "this is no block of a log", hint)
    (count,), at = _COUNT.unpack_from(payload, 4), 8
    entries: list[tuple[str, int]] = []
    for _ in range(count):
        name_size, size = _ENTRY.unpack_from(payload, at)
        at += _ENTRY.size
        entries.append((payload[at : at + name_size].decode(), size))
        at += name_size
    if at + sum(size for _, size in entries) != len(payload):
        raise InputError("block", "the block is cut short", hint)
    return entries, at
