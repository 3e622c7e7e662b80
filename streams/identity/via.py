"""Rows that name their customer through another row: parked, released, dragged along (semantics W7, W8)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import NO_POSITION, Changes, concat
from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.identity.arrivals import Arrivals
from streams.identity.dates import take_dates
from streams.identity.directory import Known, children, look_up
from streams.identity.match import match_keys
from streams.identity.parked import changes_of, parked_under, unsealed
from streams.identity.partition import id_list, partitions_of
from streams.log.log import Log
from streams.log.read_back import read_back

Int64s = NDArray[np.int64]


def parents_first(sources: Mapping[str, Source]) -> list[str]:
    """Return the names of all ``via`` sources so that each comes after its parent. Cycles are refused
    where the configuration is read."""
    names: list[str] = []

    def visit(name: str) -> None:
        via = sources[name].via
        if via is not None and name not in names:
            visit(via.source)
            names.append(name)

    for name in sorted(sources):
        visit(name)
    return names


def followers(log: Log, source: Source, parents: Arrivals, arriving: Arrivals | None) -> Changes | None:
    """Return rows of ``source`` that must be written because of their parents' records.

    Those parked under a parent that is placed now, living rows whose parent moves to another customer, and
    where parents date the rows those whose parent now has another event time; not those that arrive
    themselves.
    """
    placed = parents.placed & ~parents.deleted
    found = [parked_under(log, source, parents.changes.key_high[placed], parents.changes.key_low[placed])]
    moved = parents.was_anothers & placed
    found.append(_dragged(log, source, parents.changes.key_high[moved], parents.changes.key_low[moved]))
    if source.event_time.parent:
        found.append(_redated(log, source, parents, placed & ~moved))
    parts = [part for part in found if part is not None]
    if not parts:
        return None
    rows = concat(parts)
    if arriving is not None:
        there = arriving.changes
        rows = rows.take(match_keys(rows.key_high, rows.key_low, there.key_high, there.key_low) < 0)
    return rows if len(rows) else None


def _dragged(log: Log, source: Source, parent_high: Int64s, parent_low: Int64s) -> Changes | None:
    """Read back from the log the living rows under these parents."""
    rows = children(log, source.name, parent_high, parent_low)
    if len(rows) == 0:
        return None
    known = look_up(log, source.name, rows[:, 0].copy(), rows[:, 1].copy())
    partition = partitions_of(rows[:, 4], rows[:, 5], log.partitions)
    places = zip(partition.tolist(), rows[:, 6].tolist(), strict=True)
    bodies = read_back(log, source.name, places, ["event_us", "reference", *carried_columns(source)])
    # A row that follows its parent stands where it stood, but later: only the offset is new.
    new = np.full(len(rows), NO_POSITION, dtype=np.int64)
    numbers = np.column_stack([rows[:, :4], known.content, known.epoch, known.position, new])
    whose = id_list(rows[:, 4], rows[:, 5])
    return unsealed(log, source, changes_of(source, numbers, bodies), whose)


def _redated(log: Log, source: Source, parents: Arrivals, stays: NDArray[np.bool_]) -> Changes | None:
    """Read back the living rows under parents of this mask that have another event time than their parent."""
    stays = stays & ((parents.known.customer_high != 0) | (parents.known.customer_low != 0))
    there = parents.changes.take(stays)
    rows = _dragged(log, source, there.key_high, there.key_low)
    if rows is None:
        return None
    parent = match_keys(rows.parent_high, rows.parent_low, there.key_high, there.key_low)
    return rows.take(rows.event_us != there.event_us[parent])


def place_children(log: Log, arrivals: Arrivals, parents: Arrivals | None, parent_source: str) -> Int64s:
    """Give each row its parent's customer, and its event time where parents date the source's rows; return
    the parent's place among ``parents`` or -1, int64.

    Rows whose parent is neither arriving nor in the directory stay unplaced.
    """
    rows = arrivals.changes
    beside = np.full(len(rows), -1, dtype=np.int64)
    old: Known = look_up(log, parent_source, rows.parent_high, rows.parent_low)
    high, low = old.customer_high.copy(), old.customer_low.copy()
    placed = (high != 0) | (low != 0)  # a deleted parent still names the customer
    if parents is not None:
        there = parents.changes
        beside = match_keys(rows.parent_high, rows.parent_low, there.key_high, there.key_low)
        found = np.flatnonzero(beside >= 0)
        at = beside[found]
        high[found], low[found] = parents.customer_high[at], parents.customer_low[at]
        placed[found] = parents.placed[at]
    if arrivals.source.event_time.parent:
        take_dates(log, arrivals, parents, beside, placed)
    arrivals.place(high, low, placed, rows.parent.combine_chunks().cast(pa.utf8()))
    return beside
