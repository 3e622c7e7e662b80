"""What a message of the log says of rows: its records, and what its header adds to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.changes.wire import Incoming
from streams.identity.partition import id_list
from streams.personal.erase import ERASED_STEP
from streams.shared.delta import ALIVE, STEP
from streams.shared.entries import NEWER_BY, unpack

Int64s = NDArray[np.int64]
_AT_POSITION = 16  # bytes of epoch and position


def entries_said(
    message: Incoming, tables: Mapping[str, pa.Table]
) -> Iterator[tuple[str, list[bytes], Int64s]]:
    """Yield (source, keys, rows) of the rows whose last record a message has, or of whom it says something.

    tables: its records of sources. rows: int64, shape (keys, 10), in the order of the directory's columns;
    their step is the record's ordinal in the message, or below 0 where there is none.
    """
    told = message.told
    records = np.frombuffer(told.records, dtype=np.int64).reshape(-1, 4)
    for name, table in tables.items():
        keys, rows = _of_records(table, records)
        if keys:
            yield name, keys, rows
    by_source: dict[str, tuple[list[bytes], list[bytes]]] = {}
    for name, key, entry in told.others:
        keys, entries = by_source.setdefault(name, ([], []))
        keys.append(key)
        entries.append(entry)
    for name, (keys, entries) in by_source.items():
        yield name, keys, unpack(entries)


def _of_records(table: pa.Table, records: Int64s) -> tuple[list[bytes], Int64s]:
    """Return the entries of those records that are the last of their rows."""
    ordinals = table["ordinal"].to_numpy().astype(np.int64)
    chosen = np.searchsorted(ordinals, records[:, 0])
    there = chosen < len(ordinals)
    there[there] = ordinals[chosen[there]] == records[there, 0]
    said, rows = records[there], table.take(pa.array(chosen[there]))
    numbers = {name: rows[name].to_numpy().astype(np.int64)
               for name in ("key_high", "key_low", "epoch", "position", "offset")}  # fmt: skip
    packed = b"".join(rows["customer"].to_pylist())
    customers = np.frombuffer(packed, dtype=">i8").astype(np.int64).reshape(-1, 2)
    entries = np.column_stack([
        customers, np.ones(len(said), dtype=np.int64), said[:, 1], numbers["epoch"], numbers["position"],
        numbers["offset"], said[:, 0], said[:, 2:],
    ])  # fmt: skip
    return id_list(numbers["key_high"], numbers["key_low"]), entries


def note_parked(
    notes: dict[tuple[str, bytes], bytes | None], name: str, key: bytes, raw: bytes | None
) -> None:  # fmt: skip
    """Note what is parked, or is no more; what holds is found at the end, by `is_over`."""
    before = notes.get((name, key))
    if raw is None or before is None or raw[:NEWER_BY] >= before[:NEWER_BY]:
        notes[name, key] = raw if raw is not None else before


def is_over(parked: bytes, row: bytes | None) -> bool:
    """Say whether a parked row's key was placed, or deleted, at or after its position."""
    if row is None:
        return False
    alive, step = unpack([row])[0, [ALIVE, STEP]].tolist()
    was_placed = alive or step == ERASED_STEP
    mine, other = parked[:_AT_POSITION], row[:_AT_POSITION]
    return other >= mine if was_placed else other > mine
