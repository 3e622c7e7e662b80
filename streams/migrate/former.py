"""The log that is migrated: its records in windows of minutes, and what stands beside its blocks.

It is that of an embedded shop, in which all partitions have what is everybody's at the same minute, or that
of a cluster, gathered in a file (`streams.migrate.gather`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.control import TICK
from streams.identity.parked import body_of, body_text
from streams.identity.partition import id_list, id_of, partitions_of
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from streams.migrate.nobodys import STEP_BITS, Nobodys
from streams.personal.seal import about, personal_columns, seal, unseal
from streams.personal.vault import NOBODY, Vault
from streams.shared.entries import Parked

Int64s = NDArray[np.int64]
WINDOW = 100_000  # records, unless one minute has more


@dataclass(frozen=True)
class Window:
    """The records of some minutes, in an order in which each partition's keep theirs.

    code: partition << 44 | step; minute; table: number of the record's table in ``names``; place: of the
    record in its table; is_live: mask; everywhere: mask, of nobody and for every partition; amid: mask, cut
    points that did not open their minute; tables: without ordinal and minute, texts as plain columns.
    """

    first: int
    last: int
    code: Int64s
    minute: Int64s
    table: Int64s
    place: Int64s
    is_live: NDArray[np.bool_]
    everywhere: NDArray[np.bool_]
    amid: NDArray[np.bool_]
    names: list[str]
    tables: Mapping[str, pa.Table]


def windows(log: Log, after: int, most: int = WINDOW) -> Iterator[tuple[int, int]]:
    """Yield (first, last) minutes of windows that cover the log's records behind minute ``after``."""
    query = "SELECT last_minute, sum(count) FROM block WHERE last_minute > ? GROUP BY 1 ORDER BY 1"
    first, held = after + 1, 0
    found = log.connection.execute(query, (after,)).fetchall()
    for at, (minute, count) in enumerate(found):
        held += count
        if held >= most or at == len(found) - 1:
            yield first, minute
            first, held = minute + 1, 0


def window(log: Log, first: int, last: int, apart: Nobodys | None = None) -> Window:
    """Read the records of minutes [first, last]. apart: of a cluster's log."""
    parts: dict[str, list[pa.Table]] = {}
    every = [np.zeros((0, 7), dtype=np.int64)]  # as of `_numbers`
    names: list[str] = []
    told = [np.zeros(0, dtype=np.int64)]  # records of all that its partition has before each
    for partition in range(log.partitions):
        numbers = [every[0]]
        for block in _blocks(log, partition, first, last):
            for name, table in block.tables().items():
                table = table.filter(_within(table["minute"], first, last))
                if name not in names:
                    names.append(name)
                before = sum(part.num_rows for part in parts.setdefault(name, []))
                numbers.append(_numbers(block, table, name, names.index(name), before))
                parts[name].append(_plain(table.drop_columns(["ordinal", "minute"])))
        mine = np.concatenate(numbers)
        mine = mine[np.argsort(mine[:, 0])]
        mine[:, 2] = np.maximum.accumulate(mine[:, 2])
        every.append(mine)
        told.append(np.cumsum(mine[:, 6]) - mine[:, 6] if apart is None else _before(mine[:, 0], apart))
    table, before = np.concatenate(every), np.concatenate(told)
    nobodys, everywhere, amid = _of_all(table, apart)
    # What is everybody's stands in each partition at the same place among the rest. In between
    # rows were given offsets one after the other, wherever they went: so moves stay in order.
    rank = np.where(nobodys, 0, table[:, 2])
    imported_first = np.zeros(len(table), dtype=np.int64) if apart is None else table[:, 5]
    order = np.lexsort((table[:, 0], rank, nobodys, before, imported_first, table[:, 1]))
    tables = {name: pa.concat_tables(found, promote_options="default") for name, found in parts.items()}
    code, minute, _, number, place, is_live, _ = table[order].T.copy()
    return Window(
        first, last, code, minute, number, place, is_live == 1, everywhere[order], amid[order], names, tables
    )


def _before(code: Int64s, apart: Nobodys) -> Int64s:
    """Return for each record of a partition how far what is everybody's has come there before it; for what is
    everybody's, its own number."""
    at, there = apart.places(code)
    reached = np.zeros(len(code), dtype=np.int64)
    reached[there] = apart.number[at[there]] + 1
    if len(code):
        reached = np.maximum.accumulate(reached)
    reached[there] = apart.number[at[there]]
    return reached


def _of_all(
    table: Int64s, apart: Nobodys | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return masks of the records: of everybody's, and as of ``everywhere`` and ``amid`` of `Window`."""
    if apart is None:
        nobodys = table[:, 6] == 1
        first = table[:, 0] >> STEP_BITS == 0  # each partition has it
        return nobodys, nobodys & first, np.zeros(len(table), dtype=bool)
    at, there = apart.places(table[:, 0])
    everywhere, amid = there.copy(), there.copy()
    everywhere[there], amid[there] = apart.chosen[at[there]], apart.amid[at[there]]
    return there, everywhere, amid


def _blocks(log: Log, partition: int, first: int, last: int) -> Iterator[Block]:
    query = (
        "SELECT partition, first_step, count, mode, first_minute, last_minute, payload FROM block "
        "WHERE partition = ? AND last_minute >= ? AND first_minute <= ? ORDER BY first_step"
    )
    for row in log.connection.execute(query, (partition, first, last)):
        yield Block(*row)


def _within(minutes: pa.ChunkedArray, first: int, last: int) -> pa.ChunkedArray:
    return pc.and_(pc.greater_equal(minutes, first), pc.less_equal(minutes, last))


def _numbers(block: Block, table: pa.Table, name: str, number: int, before: int) -> Int64s:
    """Return code, minute, rank, table, place, is_live, and whether it is everybody's, of each record."""
    rows, of_all = table.num_rows, np.zeros(table.num_rows, dtype=bool)
    if name == CONTROL:
        nobody = pc.and_(pc.is_null(table["customer"]), pc.not_equal(table["kind"], TICK))
        of_all = nobody.to_numpy()
    steps = block.first_step + table["ordinal"].to_numpy().astype(np.int64)
    rank = np.zeros(rows, dtype=np.int64) if name == CONTROL else table["offset"].to_numpy().astype(np.int64)
    columns = [
        (np.int64(block.partition) << STEP_BITS) | steps, table["minute"].to_numpy().astype(np.int64), rank,
        np.full(rows, number), before + np.arange(rows), np.full(rows, int(block.mode == "live")), of_all,
    ]  # fmt: skip
    return np.column_stack(columns).astype(np.int64)


def _plain(table: pa.Table) -> pa.Table:
    """Return a table whose texts are plain columns: a block's dictionary holds only its own."""
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.large_string()))
    return table


@dataclass(frozen=True)
class Directory:
    """What a log knows of rows: by ascending code of their last record, those without one first (code -1).

    source: number of the source; keys: of 16 bytes; rows: int64, shape (rows, 10), in the order of the
    table's columns (`streams.shared.entries`).
    """

    code: Int64s
    source: Int64s
    keys: list[bytes]
    rows: Int64s
    names: Mapping[int, str]


def directory(log: Log) -> Directory:
    """Read the row directory of a log: a hundred bytes a row in memory."""
    query = (
        "SELECT source, key_high, key_low, customer_high, customer_low, alive, content, epoch, position, "
        "offset, step, parent_high, parent_low FROM row"
    )
    cursor, parts = log.connection.execute(query), [np.zeros((0, 13), dtype=np.int64)]
    while found := cursor.fetchmany(WINDOW):
        parts.append(np.array(found, dtype=np.int64))
    every = np.concatenate(parts)
    part, step = partitions_of(every[:, 3], every[:, 4], log.partitions), every[:, 10]
    code = np.where(step < 0, -1, (part << STEP_BITS) | step)
    order = np.argsort(code, kind="stable")
    every = every[order]
    names = dict(log.connection.execute("SELECT number, name FROM source"))
    return Directory(code[order], every[:, 0], id_list(every[:, 1], every[:, 2]), every[:, 3:], names)


def positions(log: Log) -> dict[str, tuple[int, int]]:
    """Return epoch and last position of each source."""
    query = "SELECT name, epoch, position FROM source ORDER BY name"
    return {name: (epoch, position) for name, epoch, position in log.connection.execute(query)}


def parked(log: Log, sources: Mapping[str, Source], vault: Vault) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield (source, key, parked row) of rows that wait for their parent, sealed under another vault's key of
    nobody. Those of a source that is declared no more are left out: nothing can release them.

    sources: as they are declared where the log was written.
    """
    query = (
        "SELECT s.name, key_high, key_low, parent_high, parent_low, content, p.epoch, p.position, p.offset, "
        "body FROM parked p JOIN source s ON s.number = p.source ORDER BY 1, 2, 3"
    )
    for name, high, low, *numbers, body in log.connection.execute(query):
        if name in sources:
            key = id_of(high, low)
            numbers.append(_resealed(log.vault, vault, sources[name], body))
            yield name, key, Parked(*numbers).pack()


def _resealed(former: Vault, vault: Vault, source: Source, text: str) -> str:
    event_us, parent, *carried = body_of(source, text)
    values = dict(zip(carried_columns(source), carried, strict=True))
    for name in personal_columns(source):
        if isinstance(values[name], str):
            what = about(source.name, name)
            plain = unseal(former, what, [NOBODY], [str(values[name])])
            (values[name],) = seal(vault, what, [NOBODY], plain)
    return body_text(event_us, parent, values)
