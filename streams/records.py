"""The order of records: who it is, leaving the old customer, the row itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.control import CONFLICT, REFERENCE, Control, canonical
from streams.identity.arrivals import Arrivals
from streams.identity.partition import id_pairs
from streams.placing import Placed

Int64s = NDArray[np.int64]
BEFORE, OUT, ROW = 0, 1, 2  # parts of a row, in the order of their records


@dataclass(frozen=True)
class Records:
    """All records of a stretch in order; int64 arrays of shape (records,).

    origin, row: which arrivals and which row of it caused the record; part: one of the above; serial:
    its number among ``before`` for records of identity, else -1.
    """

    origin: Int64s
    row: Int64s
    part: Int64s
    serial: Int64s
    before: list[Control]


def records_of(placed: Placed) -> Records:
    """List the records in the order of the log."""
    origin, row, part, serial = _rows(placed)
    before, places = _identity(placed)
    counts = [len(arrivals) for arrivals in placed.arrivals]
    origin = np.concatenate([origin, places[:, 0]])
    row = np.concatenate([row, places[:, 1]])
    part = np.concatenate([part, np.full(len(before), BEFORE, dtype=np.int64)])
    serial = np.concatenate([serial, np.arange(len(before))])
    starts = np.cumsum([0, *counts])
    each = starts[origin] + row

    def of_each(parts: list[Int64s]) -> Int64s:
        return np.concatenate([*parts, np.zeros(0, dtype=np.int64)])[each]

    order = np.lexsort(
        (serial, part, each, of_each(placed.own), of_each(placed.depth), of_each(placed.anchor))
    )
    return Records(origin[order], row[order], part[order], serial[order], before)


def _rows(placed: Placed) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    origins, rows, parts = [], [], []
    for at, arrivals in enumerate(placed.arrivals):
        for part, mask in ((OUT, arrivals.moved_out), (ROW, arrivals.placed)):
            found = np.flatnonzero(mask)
            rows.append(found)
            origins.append(np.full(len(found), at, dtype=np.int64))
            parts.append(np.full(len(found), part, dtype=np.int64))
    none = np.zeros(0, dtype=np.int64)
    row = np.concatenate([*rows, none])
    return np.concatenate([*origins, none]), row, np.concatenate([*parts, none]), np.full(len(row), -1)


def _identity(placed: Placed) -> tuple[list[Control], Int64s]:
    """Return the records of new references and of conflicts, and (arrivals, row) of each."""
    found: list[tuple[int, int, Control]] = []
    for link in placed.resolved.links:
        at, rows = placed.named[link.source]
        body = canonical({"reference": link.reference, "sealed": link.sealed, "strong": link.strong})
        found.append((at, int(rows[link.row]), Control(REFERENCE, link.customer, body)))
    for conflict in placed.resolved.conflicts:
        at, rows = placed.named[conflict.source]
        body = canonical({"chosen": conflict.chosen, "others": conflict.others})
        found.append((at, int(rows[conflict.row]), Control(CONFLICT, conflict.customer, body)))
    places = np.array([(at, row) for at, row, _ in found], dtype=np.int64).reshape(-1, 2)
    return [control for _, _, control in found], places


def gather(placed: Placed, records: Records, get: Callable[[Arrivals], Int64s]) -> Int64s:
    """Return ``get``'s value for the row of each record."""
    values = np.zeros(len(records.row), dtype=np.int64)
    for at, arrivals in enumerate(placed.arrivals):
        mine = records.origin == at
        values[mine] = get(arrivals)[records.row[mine]]
    return values


def customers(placed: Placed, records: Records, low: bool = False) -> Int64s:
    """Return the high (or low) half of the customer id of each record."""
    half = "customer_low" if low else "customer_high"
    values = gather(placed, records, lambda arrivals: getattr(arrivals, half))
    out = records.part == OUT
    values[out] = gather(placed, records, lambda arrivals: getattr(arrivals.known, half))[out]
    before = id_pairs([control.customer or bytes(16) for control in records.before])[1 if low else 0]
    about = records.part == BEFORE
    values[about] = before[records.serial[about]]
    return values
