"""The row directory: (source, key) -> customer, content and where its last record stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from streams.change import Changes
from streams.log.log import Log

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory knows of some keys; int64 arrays of shape (keys,), zero where nothing is known.

    there: whether the key is known at all, alive: whether it has a row now (masks); epoch, position,
    offset: of its last change (semantics W2); step: of its last record, in its customer's partition.
    """

    there: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    customer_high: Int64s
    customer_low: Int64s
    content: Int64s
    epoch: Int64s
    position: Int64s
    offset: Int64s
    step: Int64s


def look_up(log: Log, source: str, high: Int64s, low: Int64s) -> Known:
    """Return what the directory knows of these keys of a source."""
    log.beyond.rows(source, high, low)
    table = np.zeros((len(high), 9), dtype=np.int64)
    number = log.source_number(source)
    connection = log.connection
    if connection.execute("SELECT 1 FROM row WHERE source = ? LIMIT 1", (number,)).fetchone():
        want(log, zip(range(len(high)), high.tolist(), low.tolist(), strict=True))
        found = connection.execute(
            "SELECT w.place, 1, r.alive, r.customer_high, r.customer_low, r.content, r.epoch, r.position, "
            "r.offset, r.step "
            "FROM wanted w CROSS JOIN row r "
            "ON r.source = ? AND r.key_high = w.high AND r.key_low = w.low", (number,)
        ).fetchall()  # fmt: skip
        if found:
            rows = np.array(found, dtype=np.int64)
            table[rows[:, 0]] = rows[:, 1:]
    there, alive, *numbers = table.T
    return Known(there.astype(bool), alive.astype(bool), *numbers)


def want(log: Log, keys: Iterable[tuple[int, int, int]]) -> None:
    """Put (place, high, low) into the temporary table ``wanted``, to be joined with.

    Write the join as CROSS JOIN: SQLite then goes through the wanted ones, not through the whole table.
    """
    log.connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (place INTEGER PRIMARY KEY, high, low)")
    log.connection.execute("DELETE FROM wanted")
    log.connection.executemany("INSERT INTO wanted VALUES (?, ?, ?)", keys)


def children(log: Log, source: str, parent_high: Int64s, parent_low: Int64s) -> Int64s:
    """Return the living rows of a source under these parents.

    int64, shape (rows, 7): key high and low, parent high and low, customer high and low, step.
    """
    if len(parent_high) == 0:
        return np.zeros((0, 7), dtype=np.int64)
    log.beyond.children(source, parent_high, parent_low)
    want(log, zip(range(len(parent_high)), parent_high.tolist(), parent_low.tolist(), strict=True))
    found = log.connection.execute(
        "SELECT r.key_high, r.key_low, r.parent_high, r.parent_low, r.customer_high, r.customer_low, r.step "
        # INDEXED BY: else SQLite walks over the whole source for each parent
        "FROM wanted w CROSS JOIN row r INDEXED BY row_parent "
        "ON r.source = ? AND r.parent_high = w.high AND r.parent_low = w.low "
        "WHERE r.alive AND (r.parent_high <> 0 OR r.parent_low <> 0) ORDER BY w.place, r.key_high, r.key_low",
        (log.source_number(source),),
    ).fetchall()
    return np.array(found, dtype=np.int64).reshape(-1, 7)


def store(log: Log, changes: Changes, alive: NDArray[np.bool_], customer_high: Int64s, customer_low: Int64s,
          offset: Int64s, step: Int64s) -> None:  # fmt: skip
    """Write what each key's last record made of it. offset: as it stands in the record."""
    number = log.source_number(changes.source)
    order = np.lexsort((changes.key_low, changes.key_high))  # a sorted insert is several times faster
    columns = [
        changes.key_high, changes.key_low, customer_high, customer_low, alive.astype(np.int64),
        changes.content, changes.epoch, changes.position, offset, step, changes.parent_high,
        changes.parent_low,
    ]  # fmt: skip
    log.connection.executemany(
        "INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        zip(repeat(number, len(order)), *(column[order].tolist() for column in columns), strict=True),
    )


def remember_deletes(log: Log, changes: Changes, offset: Int64s) -> None:
    """Keep the positions of deletes that found no row: an older change of the key may still come (W3)."""
    number = log.source_number(changes.source)
    columns = [changes.key_high, changes.key_low, changes.epoch, changes.position, offset]
    log.connection.executemany(
        "INSERT INTO row VALUES (?, ?, ?, 0, 0, 0, 0, ?, ?, ?, -1, 0, 0) "
        "ON CONFLICT DO UPDATE SET epoch = excluded.epoch, position = excluded.position, "
        "offset = excluded.offset",
        zip(repeat(number, len(offset)), *(column.tolist() for column in columns), strict=True),
    )
