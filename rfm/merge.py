"""From the reports of all partitions to the numbers of the whole population, exactly (semantics R5).

Nothing is merged: the value of a rank is found by halving the range of values and counting, in each report,
those up to the middle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rfm.cuts import OrderStatistic, Values
from rfm.model import RfmModel
from rfm.numbers import CutNumbers, residues_of
from rfm.report import Report, Runs


def merged(model: RfmModel, reports: Sequence[Report]) -> CutNumbers:
    """Return a model's numbers over the reports of all partitions for one minute.

    A model of method fixed has its cuts given and no numbers: size 0.
    """
    size = sum(report.frequency.size for report in reports)
    if size == 0 or model.method == "fixed":
        return CutNumbers(0)
    recent, frequency, monetary = (
        [getattr(report, name) for report in reports if getattr(report, name).size]
        for name in ("recent", "frequency", "monetary")
    )
    if model.method == "mean":
        sums = (_sum(recent), _sum(frequency), _sum(monetary))
        residues = sum((residues_of(model, runs.values, runs.counts) for runs in recent[1:]),
                       residues_of(model, recent[0].values, recent[0].counts))  # fmt: skip
        return CutNumbers(size, sums=sums, residues=residues)
    return CutNumbers(
        size,
        _statistics(recent, size, model.bins, descending=True),
        _statistics(frequency, size, model.bins),
        _statistics(monetary, size, model.bins),
    )


def _statistics(
    parts: Sequence[Runs], size: int, bins: int, descending: bool = False
) -> tuple[OrderStatistic, ...]:
    """Return the order statistics of the cuts (R3), as `rfm.cuts.order_statistics` does of one array."""
    places = [divmod((size - 1) * i, bins) for i in range(1, bins)]
    ranks = np.array([rank for k, _ in places for rank in (k, min(k + 1, size - 1))], dtype=np.int64)
    values = ranked(parts, size - 1 - ranks if descending else ranks).tolist()
    return tuple(
        OrderStatistic(below, above, part)
        for below, above, (_, part) in zip(values[::2], values[1::2], places, strict=True)
    )


def ranked(parts: Sequence[Runs], ranks: Values) -> Values:
    """Return the values of some ranks (int64, from 0, ascending) among all parts together, none empty.

    >>> ranked([Runs.of(np.array([1, 5, 5])), Runs.of(np.array([2, 9]))], np.array([0, 2, 4]))
    array([1, 5, 9])
    """
    low = np.full(len(ranks), min(int(part.values[0]) for part in parts), dtype=np.int64)
    high = np.full(len(ranks), max(int(part.values[-1]) for part in parts), dtype=np.int64)
    while (low < high).any():
        middle = (low >> 1) + (high >> 1) + (low & high & 1)  # the sum of two may have more than 64 bits
        reached = np.zeros(len(ranks), dtype=np.int64)
        for part in parts:
            reached += part.up_to[np.searchsorted(part.values, middle, side="right")]
        enough = reached > ranks
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle + 1)
    return low


def _sum(parts: Sequence[Runs]) -> int:
    """Return the exact sum of all customers' values, beyond 64 bits if need be."""
    low = sum(int(((part.values & 0xFFFFFFFF) * part.counts).sum()) for part in parts)
    return (sum(int(((part.values >> 32) * part.counts).sum()) for part in parts) << 32) + low
