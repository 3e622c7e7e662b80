"""Parked rows: they name their customer through a row that is not known yet (semantics W8).

What is personal in them is sealed under the key of nobody until then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import UPSERT, Changes, column_type, nothing
from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.identity.directory import want
from streams.log.log import Log
from streams.personal.seal import seal_columns, unseal_columns
from streams.personal.vault import NOBODY

Int64s = NDArray[np.int64]


def park(log: Log, source: Source, changes: Changes) -> None:
    """Put rows aside whose parent is unknown; a key's newer version takes the place of the older."""
    nobody = [NOBODY] * len(changes)
    columns = seal_columns(log.vault, source, changes.columns, nobody)
    values = columns.to_pylist() if columns.num_columns else [{}] * len(changes)  # no columns, no rows
    told = zip(changes.event_us.tolist(), changes.parent.to_pylist(), values, strict=True)
    bodies = [body_text(*row) for row in told]
    number = log.source_number(source.name)
    numbers = [
        changes.key_high, changes.key_low, changes.parent_high, changes.parent_low, changes.content,
        changes.epoch, changes.position, changes.offset,
    ]  # fmt: skip
    log.connection.executemany(
        "INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        zip(repeat(number, len(bodies)), *(column.tolist() for column in numbers), bodies, strict=True),
    )


def body_text(event_us: int, parent: str | None, values: Mapping[str, Any]) -> str:
    """Return what is kept of a parked row beside its numbers. values: by column, personal ones sealed."""
    return json.dumps([event_us, parent, dict(values)], ensure_ascii=False, separators=(",", ":"))


def body_of(source: Source, text: str) -> list[Any]:
    """Return [event_us, parent, declared columns ...], in the order in which they are declared now.

    A column that was declared since is null. Rows that were parked by an earlier release have no names.
    """
    event_us, parent, *rest = json.loads(text)
    if len(rest) == 1 and isinstance(rest[0], dict):
        rest = [rest[0].get(name) for name in carried_columns(source)]
    return [event_us, parent, *rest]


def unpark(log: Log, source: str, high: Int64s, low: Int64s) -> int:
    """Forget parked rows by key; return how many there were."""
    if not any_parked(log, source):
        return 0
    number = log.source_number(source)
    cursor = log.connection.executemany(
        "DELETE FROM parked WHERE source = ? AND key_high = ? AND key_low = ?",
        zip(repeat(number, len(high)), high.tolist(), low.tolist(), strict=True),
    )
    return cursor.rowcount


def any_parked(log: Log, source: str) -> bool:
    """Say whether a source has parked rows."""
    query = "SELECT 1 FROM parked WHERE source = ? LIMIT 1"
    return log.connection.execute(query, (log.source_number(source),)).fetchone() is not None


def count_parked(log: Log) -> dict[str, int]:
    """Return how many rows of each source wait for their parent (semantics W8)."""
    query = "SELECT s.name, count(*) FROM parked p JOIN source s ON s.number = p.source GROUP BY s.name"
    return dict(sorted(log.connection.execute(query).fetchall()))


def parked_content(log: Log, source: str, high: Int64s, low: Int64s) -> tuple[NDArray[np.bool_], Int64s]:
    """Return which keys are parked, and of each its content hash, epoch, position and offset.

    The numbers are int64 of shape (keys, 4), 0 where the key is not parked.
    """
    is_parked, numbers = np.zeros(len(high), dtype=bool), np.zeros((len(high), 4), dtype=np.int64)
    if any_parked(log, source):
        want(log, zip(range(len(high)), high.tolist(), low.tolist(), strict=True))
        for place, *found in log.connection.execute(
            "SELECT w.place, p.content, p.epoch, p.position, p.offset FROM wanted w CROSS JOIN parked p "
            "ON p.source = ? AND p.key_high = w.high AND p.key_low = w.low", (log.source_number(source),)
        ):  # fmt: skip
            is_parked[place], numbers[place] = True, found
    return is_parked, numbers


def parked_bodies(log: Log, source: Source, high: Int64s, low: Int64s) -> dict[int, list[Any]]:
    """Return [event_us, parent, declared columns ...] of those of these keys that are parked, by place;
    personal ones are sealed.
    """
    if not any_parked(log, source.name):
        return {}
    want(log, zip(range(len(high)), high.tolist(), low.tolist(), strict=True))
    found = log.connection.execute(
        "SELECT w.place, p.body FROM wanted w CROSS JOIN parked p "
        "ON p.source = ? AND p.key_high = w.high AND p.key_low = w.low", (log.source_number(source.name),)
    )  # fmt: skip
    return {place: body_of(source, body) for place, body in found}


def parked_under(log: Log, source: Source, parent_high: Int64s, parent_low: Int64s) -> Changes | None:
    """Return the parked rows of a source under these parents, in the order of their keys."""
    if len(parent_high) == 0:
        return None
    log.beyond.children(source.name, parent_high, parent_low)
    if not any_parked(log, source.name):
        return None
    want(log, zip(range(len(parent_high)), parent_high.tolist(), parent_low.tolist(), strict=True))
    found = log.connection.execute(
        "SELECT p.key_high, p.key_low, p.parent_high, p.parent_low, p.content, p.epoch, p.position, "
        "p.offset, p.body FROM wanted w CROSS JOIN parked p ON p.source = ? AND p.parent_high = w.high "
        "AND p.parent_low = w.low ORDER BY p.key_high, p.key_low",
        (log.source_number(source.name),),
    ).fetchall()
    if not found:
        return None
    numbers = np.array([row[:8] for row in found], dtype=np.int64)
    sealed = changes_of(source, numbers, [body_of(source, row[8]) for row in found])
    return unsealed(log, source, sealed, [NOBODY] * len(found))


def unsealed(log: Log, source: Source, changes: Changes, customers: Sequence[bytes]) -> Changes:
    """Return rows with their personal columns readable; customers: whose key sealed each."""
    return replace(changes, columns=unseal_columns(log.vault, source, changes.columns, customers))


def changes_of(source: Source, numbers: Int64s, bodies: list[list[Any]]) -> Changes:
    """Build rows of a ``via`` source from numbers and kept values.

    numbers: int64, shape (rows, 8): key high and low, parent high and low, content, epoch, position and
    offset; bodies: [event_us, parent, declared columns ...] of each row.
    """
    columns = {
        name: pa.chunked_array([pa.array([body[at] for body in bodies], type=column_type(column))])
        for at, (name, column) in enumerate(carried_columns(source).items(), start=2)
    }
    key_high, key_low, parent_high, parent_low, content, epoch, position, offset = numbers.T.copy()
    parent = (
        nothing(0) if not bodies else pa.chunked_array([pa.array([b[1] for b in bodies], pa.large_string())])
    )
    return Changes(
        source.name, np.full(len(bodies), UPSERT, dtype=np.int8), epoch, position, offset, key_high, key_low,
        np.array([body[0] for body in bodies], dtype=np.int64), content, [], parent_high, parent_low, parent,
        pa.table(columns),
    )  # fmt: skip
