"""The row directory: (source, key) -> customer, content and where its last record stands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import UPSERT, Changes, column_type, nothing
from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.log.log import Log

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory knows of some keys; int64 arrays of shape (keys,), zero where nothing is known.

    alive: whether the key has a row now (mask); step: of its last record, in its customer's partition.
    """

    alive: NDArray[np.bool_]
    customer_high: Int64s
    customer_low: Int64s
    content: Int64s
    step: Int64s


def look_up(log: Log, source: str, high: Int64s, low: Int64s) -> Known:
    """Return what the directory knows of these keys of a source."""
    table = np.zeros((len(high), 5), dtype=np.int64)
    number = log.source_number(source)
    connection = log.connection
    if connection.execute("SELECT 1 FROM row WHERE source = ? LIMIT 1", (number,)).fetchone():
        _want(log, zip(range(len(high)), high.tolist(), low.tolist(), strict=True))
        found = connection.execute(
            "SELECT w.place, r.alive, r.customer_high, r.customer_low, r.content, r.step FROM wanted w JOIN row r "
            "ON r.source = ? AND r.key_high = w.high AND r.key_low = w.low", (number,)
        ).fetchall()  # fmt: skip
        if found:
            rows = np.array(found, dtype=np.int64)
            table[rows[:, 0]] = rows[:, 1:]
    alive, customer_high, customer_low, content, step = table.T
    return Known(alive.astype(bool), customer_high, customer_low, content, step)


def _want(log: Log, keys: Iterable[tuple[int, int, int]]) -> None:
    """Put (place, high, low) into a temporary table, to be joined with."""
    log.connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (place INTEGER PRIMARY KEY, high, low)")
    log.connection.execute("DELETE FROM wanted")
    log.connection.executemany("INSERT INTO wanted VALUES (?, ?, ?)", keys)


def children(log: Log, source: str, parent_high: Int64s, parent_low: Int64s) -> Int64s:
    """Return the living rows of a source under these parents.

    int64, shape (rows, 7): key high and low, parent high and low, customer high and low, step.
    """
    if len(parent_high) == 0:
        return np.zeros((0, 7), dtype=np.int64)
    _want(log, zip(range(len(parent_high)), parent_high.tolist(), parent_low.tolist(), strict=True))
    found = log.connection.execute(
        "SELECT r.key_high, r.key_low, r.parent_high, r.parent_low, r.customer_high, r.customer_low, r.step "
        "FROM wanted w JOIN row r ON r.source = ? AND r.parent_high = w.high AND r.parent_low = w.low "
        "WHERE r.alive AND (r.parent_high <> 0 OR r.parent_low <> 0) ORDER BY w.place, r.key_high, r.key_low",
        (log.source_number(source),),
    ).fetchall()
    return np.array(found, dtype=np.int64).reshape(-1, 7)


def store(log: Log, changes: Changes, alive: NDArray[np.bool_], customer_high: Int64s, customer_low: Int64s,
          offset: Int64s, step: Int64s) -> None:  # fmt: skip
    """Write what each key's last record made of it (rows of files: epoch and source position 0)."""
    number = log.source_number(changes.source)
    order = np.lexsort((changes.key_low, changes.key_high))  # a sorted insert is several times faster
    columns = [
        changes.key_high, changes.key_low, customer_high, customer_low, alive.astype(np.int64), changes.content,
        offset, step, changes.parent_high, changes.parent_low,
    ]  # fmt: skip
    log.connection.executemany(
        f"INSERT OR REPLACE INTO row VALUES ({number}, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)",
        zip(*(column[order].tolist() for column in columns), strict=True),
    )


def park(log: Log, source: Source, changes: Changes) -> None:
    """Put rows aside whose parent is unknown; a key's newer version takes the place of the older."""
    values = [column.to_pylist() for column in changes.columns.columns]
    bodies = [
        json.dumps([event, parent, *row], ensure_ascii=False, separators=(",", ":"))
        for event, parent, *row in zip(changes.event_us.tolist(), changes.parent.to_pylist(), *values, strict=True)
    ]
    columns = [changes.key_high, changes.key_low, changes.parent_high, changes.parent_low, changes.content]
    log.connection.executemany(
        f"INSERT OR REPLACE INTO parked VALUES ({log.source_number(source.name)}, ?, ?, ?, ?, ?, ?)",
        zip(*(column.tolist() for column in columns), bodies, strict=True),
    )


def unpark(log: Log, source: str, high: Int64s, low: Int64s) -> int:
    """Forget parked rows by key; return how many there were."""
    if not any_parked(log, source):
        return 0
    number = log.source_number(source)
    cursor = log.connection.executemany(
        f"DELETE FROM parked WHERE source = {number} AND key_high = ? AND key_low = ?",
        zip(high.tolist(), low.tolist(), strict=True),
    )
    return cursor.rowcount


def any_parked(log: Log, source: str) -> bool:
    """Say whether a source has parked rows."""
    query = "SELECT 1 FROM parked WHERE source = ? LIMIT 1"
    return log.connection.execute(query, (log.source_number(source),)).fetchone() is not None


def count_parked(log: Log) -> dict[str, int]:
    """Return how many rows of each source wait for their parent (semantics W8)."""
    query = "SELECT s.name, count(*) FROM parked p JOIN source s ON s.number = p.source GROUP BY s.name ORDER BY 1"
    return dict(log.connection.execute(query).fetchall())


def parked_content(log: Log, source: str, high: Int64s, low: Int64s) -> tuple[NDArray[np.bool_], Int64s]:
    """Return which keys are parked, and the content hash of each (0 where it is not)."""
    is_parked, content = np.zeros(len(high), dtype=bool), np.zeros(len(high), dtype=np.int64)
    if any_parked(log, source):
        _want(log, zip(range(len(high)), high.tolist(), low.tolist(), strict=True))
        for place, found in log.connection.execute(
            "SELECT w.place, p.content FROM wanted w JOIN parked p ON p.source = ? AND p.key_high = w.high "
            "AND p.key_low = w.low", (log.source_number(source),)
        ):  # fmt: skip
            is_parked[place], content[place] = True, found
    return is_parked, content


def parked_under(log: Log, source: Source, parent_high: Int64s, parent_low: Int64s) -> Changes | None:
    """Return the parked rows of a source under these parents, in the order of their keys."""
    if len(parent_high) == 0 or not any_parked(log, source.name):
        return None
    _want(log, zip(range(len(parent_high)), parent_high.tolist(), parent_low.tolist(), strict=True))
    found = log.connection.execute(
        "SELECT p.key_high, p.key_low, p.parent_high, p.parent_low, p.content, p.body FROM wanted w JOIN parked p "
        "ON p.source = ? AND p.parent_high = w.high AND p.parent_low = w.low ORDER BY p.key_high, p.key_low",
        (log.source_number(source.name),),
    ).fetchall()
    if not found:
        return None
    numbers = np.array([row[:5] for row in found], dtype=np.int64)
    return changes_of(source, numbers, [json.loads(row[5]) for row in found])


def changes_of(source: Source, numbers: Int64s, bodies: list[list[Any]]) -> Changes:
    """Build rows of a ``via`` source from (key high, low, parent high, low, content) and kept values.

    numbers: int64, shape (rows, 5); bodies: [event_us, parent, declared columns ...] of each row.
    """
    columns = {
        name: pa.chunked_array([pa.array([body[at] for body in bodies], type=column_type(column))])
        for at, (name, column) in enumerate(carried_columns(source).items(), start=2)
    }
    key_high, key_low, parent_high, parent_low, content = numbers.T.copy()
    parent = nothing(0) if not bodies else pa.chunked_array([pa.array([b[1] for b in bodies], pa.large_string())])
    return Changes(
        source.name, np.full(len(bodies), UPSERT, dtype=np.int8), key_high, key_low,
        np.array([body[0] for body in bodies], dtype=np.int64), content, [], parent_high, parent_low, parent,
        pa.table(columns),
    )  # fmt: skip
