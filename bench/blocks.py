"""What it costs to pack the tables of a block and to read them, by rows: in the thread at hand, as the log
does it, and in Arrow's pool of threads; and to cut a block, packed, out of a stretch of records, and to read
it into the engine's columns.

``python -m bench.blocks`` prints process CPU a row, least of five, and the bytes of a row. A block is made of
two tables of the log's form, as a batch of orders and of views is in one partition.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.outcome import markdown
from streams.feed import batch_of
from streams.log.block import ROW_FIELDS, TEXT_CODES, Block, decode_tables, encode_tables
from streams.log.write import Stretch, append_stretch

ROWS = (16, 64, 256, 4096)
TIMES, REPEATS = 5, 40
HEADINGS = [
    "rows", "bytes a row", "us a row: packed", "in the pool", "read", "in the pool", "cut", "fed",
]  # fmt: skip
NUMBERS, TEXTS = ("amount", "price"), ("status", "city")
PROJECTION = {"orders": (0, [*NUMBERS, *TEXTS]), "views": (1, [*NUMBERS, *TEXTS])}


def tables(rows: int) -> dict[str, pa.Table]:
    """Return two tables with so many rows together: the log's columns, two numbers, two texts of few values
    each."""
    rng = np.random.default_rng(5)
    return {"orders": _table(rng, rows // 2, 0), "views": _table(rng, rows - rows // 2, rows // 2)}


def _table(rng: np.random.Generator, rows: int, first: int) -> pa.Table:
    def drawn(field: pa.Field) -> pa.Array:
        if pa.types.is_fixed_size_binary(field.type):
            return pa.array([rng.bytes(16) for _ in range(rows)], field.type)
        if pa.types.is_string(field.type):
            return pa.array([f"M{one:06}" for one in rng.integers(10**6, size=rows)], field.type)
        return pa.array(rng.integers(100, size=rows), field.type, safe=False)

    columns = {field.name: drawn(field) for field in ROW_FIELDS}
    columns["ordinal"] = pa.array(np.arange(first, first + rows, dtype=np.int32))
    columns |= {name: pa.array(rng.integers(10**6, size=rows)) for name in NUMBERS}
    for name in TEXTS:
        words = pa.array([f"{name} {one}" for one in rng.integers(5, size=rows)], pa.utf8())
        columns[name] = words.dictionary_encode().cast(TEXT_CODES)
    return pa.table(columns)


def packed_in_pool(held: dict[str, pa.Table]) -> list[bytes]:
    """Pack each table as the log does, but for the threads."""
    found, options = [], pa.ipc.IpcWriteOptions(compression="lz4")
    for table in held.values():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        found.append(sink.getvalue().to_pybytes())
    return found


def read_in_pool(streams: list[bytes]) -> list[pa.Table]:
    """Read them again."""
    return [pa.ipc.open_stream(one).read_all() for one in streams]


def stretch_of(held: dict[str, pa.Table], rows: int) -> Stretch:
    """Return the records of a hundred such blocks, one for each partition, as stage 1 has them."""
    blocks = 100
    tables = {}
    for name, table in held.items():
        for column in ("reference", *TEXTS):
            place = table.column_names.index(column)
            table = table.set_column(place, column, table[column].cast(pa.utf8()).cast(pa.large_string()))
        tables[name] = pa.concat_tables([table.drop_columns(["ordinal", "minute"])] * blocks)
    of_orders = held["orders"].num_rows * blocks
    table = np.repeat([0, 1], [of_orders, rows * blocks - of_orders])
    partition = np.arange(rows * blocks, dtype=np.int64) % blocks
    return Stretch("live", partition, np.zeros(rows * blocks, np.int64), table, [*tables], tables)


class Nowhere:
    """A log that keeps nothing."""

    def next_step(self, partition: int) -> int:
        return 0

    def append(self, block: Block, holds: list[str]) -> None:
        pass


def _codes(texts: list[str]) -> NDArray[np.int64]:
    return np.arange(1, len(texts) + 1)


def _us(work: Callable[[], object], rows: int, repeats: int = REPEATS) -> float:
    """Return the least CPU microseconds a row of some repetitions, all threads together."""
    work()
    found = []
    for _ in range(TIMES):
        began = time.process_time()
        for _ in range(repeats):
            work()
        found.append((time.process_time() - began) / repeats / rows * 1e6)
    return min(found)


def main() -> None:
    """Print the table."""
    cells = []
    for rows in ROWS:
        held = tables(rows)
        packed, streams = encode_tables(held), packed_in_pool(held)
        stretch, block = stretch_of(held, rows), Block(0, 0, rows, "live", 0, 0, packed)
        cells.append([
            f"{rows:,}", len(packed) / rows,
            _us(partial(encode_tables, held), rows), _us(partial(packed_in_pool, held), rows),
            _us(partial(decode_tables, packed), rows), _us(partial(read_in_pool, streams), rows),
            _us(partial(append_stretch, Nowhere(), stretch), rows * 100, 1),
            _us(partial(batch_of, block, PROJECTION, _codes, lambda *_: -1), rows),
        ])  # fmt: skip
    print(markdown(HEADINGS, cells))


if __name__ == "__main__":
    main()
