"""Which records of a source count: those newer than what is known of their key (W1 to W3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from reference.frames import MOVE_OUT

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def accept(record: Mapping[str, Ints], horizon: int, drop_minute: Callable[[int], int]) -> tuple[Bools, Ints]:
    """Return which records count, and the number of the record that took back each one (-1: none).

    ``record``: the envelope's whole-number columns, n records each; ``horizon``: minutes for which key and
    position outlive a row; ``drop_minute(i)``: the minute at which the row that record i wrote is no longer
    kept. Both results have length n; the second is meaningful where the first is true.
    """
    count = len(record["step"])
    order = np.lexsort((record["step"], record["partition"], record["key_low"], record["key_high"]))
    group = _groups(record, order)
    rank = _ranks(record)[order]
    # the greatest rank so far within the group: groups ascend, so one running maximum serves all
    reach = np.maximum.accumulate(group * (count + 1) + rank)
    before = np.concatenate(([-1], reach[:-1]))
    accepted = group * (count + 1) + rank > before
    minute = record["minute"][order]
    _reconsider_forgotten(group, rank, minute, accepted, horizon, lambda at: drop_minute(int(order[at])))
    successor = np.full(count, -1, dtype=np.int64)
    chain = np.flatnonzero(accepted)
    same = group[chain[1:]] == group[chain[:-1]]
    successor[order[chain[:-1][same]]] = order[chain[1:][same]]
    result = np.zeros(count, dtype=bool)
    result[order] = accepted
    return result, successor


def _groups(record: Mapping[str, Ints], order: Ints) -> Ints:
    """Number the (key, partition) groups of sorted records, ascending from 0."""
    new = np.zeros(len(order), dtype=np.int64)
    for name in ("partition", "key_low", "key_high"):
        new[1:] |= np.diff(record[name][order]) != 0
    return np.cumsum(new)


def _ranks(record: Mapping[str, Ints]) -> Ints:
    """Rank records by position (epoch, source position, offset), equal positions equally (W2).

    A move out and the row that it makes room for carry one position, so the move comes just before (W7).
    """
    parts = [(record["op"] != MOVE_OUT).astype(np.int64)]
    parts += [record[name] for name in ("offset", "position", "epoch")]
    order = np.lexsort(parts)
    new = np.zeros(len(order), dtype=np.int64)
    for part in parts:
        new[1:] |= np.diff(part[order]) != 0
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.cumsum(new)
    return rank


def _reconsider_forgotten(
    group: Ints, rank: Ints, minute: Ints, accepted: Bools, horizon: int, drop_minute: Callable[[int], int]
) -> None:
    """Replay, record by record, the groups whose directory entry may have been forgotten (W3).

    Only a record that is refused, and comes at least ``horizon`` after the record it lost against, can find
    the entry gone. Changes ``accepted`` in place.
    """
    last = np.maximum.accumulate(np.where(accepted, np.arange(len(rank)), -1))
    suspects = ~accepted & (minute >= minute[last] + horizon)
    for number in np.unique(group[suspects]):
        begin, end = np.searchsorted(group, [number, number + 1])
        known = -1
        forgotten_at: int | None = None
        for at in range(begin, end):
            if forgotten_at is not None and minute[at] >= forgotten_at:
                known = -1
            accepted[at] = rank[at] > known
            if accepted[at]:
                known = int(rank[at])
                forgotten_at = max(drop_minute(at), int(minute[at])) + horizon
