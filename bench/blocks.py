"""What it costs to pack the tables of a block and to read them, by rows: in the thread at hand, as the log
does it, and in Arrow's pool of threads.

``python -m bench.blocks`` prints process CPU a row, least of five, and the bytes of a row. A block is made of
two tables of the log's form, as a batch of orders and of views is in one partition.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa

from bench.outcome import markdown
from streams.log.block import ROW_FIELDS, TEXT_CODES, decode_tables, encode_tables

ROWS = (16, 64, 256, 4096)
TIMES, REPEATS = 5, 40
HEADINGS = ["rows", "bytes a row", "us a row: packed", "in the pool", "read", "in the pool"]


def tables(rows: int) -> dict[str, pa.Table]:
    """Return two tables with so many rows together: the log's columns, two numbers, two texts of few values
    each."""
    rng = np.random.default_rng(5)
    return {"orders": _table(rng, rows // 2), "views": _table(rng, rows - rows // 2)}


def _table(rng: np.random.Generator, rows: int) -> pa.Table:
    def drawn(field: pa.Field) -> pa.Array:
        if pa.types.is_fixed_size_binary(field.type):
            return pa.array([rng.bytes(16) for _ in range(rows)], field.type)
        if pa.types.is_string(field.type):
            return pa.array([f"M{one:06}" for one in rng.integers(10**6, size=rows)], field.type)
        return pa.array(rng.integers(100, size=rows), field.type, safe=False)

    columns = {field.name: drawn(field) for field in ROW_FIELDS}
    columns |= {name: pa.array(rng.integers(10**6, size=rows)) for name in ("amount", "price")}
    for name in ("status", "city"):
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


def _us(work: Callable[[], object], rows: int) -> float:
    """Return the least CPU microseconds a row of some repetitions, all threads together."""
    work()
    found = []
    for _ in range(TIMES):
        began = time.process_time()
        for _ in range(REPEATS):
            work()
        found.append((time.process_time() - began) / REPEATS / rows * 1e6)
    return min(found)


def main() -> None:
    """Print the table."""
    cells = []
    for rows in ROWS:
        held = tables(rows)
        packed, streams = encode_tables(held), packed_in_pool(held)
        cells.append([
            f"{rows:,}", len(packed) / rows,
            _us(partial(encode_tables, held), rows), _us(partial(packed_in_pool, held), rows),
            _us(partial(decode_tables, packed), rows), _us(partial(read_in_pool, streams), rows),
        ])  # fmt: skip
    print(markdown(HEADINGS, cells))


if __name__ == "__main__":
    main()
