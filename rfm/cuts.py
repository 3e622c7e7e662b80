"""Cut points of the whole population, in whole numbers (semantics R3, R4).

Inputs are the population's values of all partitions together, as int64 arrays. Results are thresholds that
the kernel compares with directly: frequency and monetary exceed cut i when value >= threshold[i]; recency
exceeds it when the last order's minute <= reach[i].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.int64]


@dataclass(frozen=True)
class OrderStatistic:
    """Cut i lies between x[k] = below and x[k+1] = above, ``part`` of ``bins`` of the way (R3)."""

    below: int
    above: int
    part: int


def order_statistics(ascending: Values, bins: int) -> list[OrderStatistic]:
    """Return the bins - 1 quantile cuts of a sorted, non-empty array; linear interpolation (R type 7).

    >>> order_statistics(np.array([10, 20, 30, 40]), 2)
    [OrderStatistic(below=20, above=30, part=1)]
    """
    size = len(ascending)
    cuts = []
    for i in range(1, bins):
        k, part = divmod((size - 1) * i, bins)
        cuts.append(OrderStatistic(int(ascending[k]), int(ascending[min(k + 1, size - 1)]), part))
    return cuts


def exceeding(cuts: Sequence[OrderStatistic], bins: int) -> list[int]:
    """Return for each cut the least value that exceeds it: v n > x[k] (n - r) + x[k+1] r.

    >>> exceeding(order_statistics(np.array([10, 20, 30, 40]), 2), 2)
    [26]
    """
    return [(c.below * (bins - c.part) + c.above * c.part) // bins + 1 for c in cuts]


def reaching(cuts: Sequence[OrderStatistic], bins: int) -> list[int]:
    """Return for each recency cut in minutes the last order minute that exceeds it.

    ``cuts`` are order statistics of recency given as *minutes of the last order* (below: of x[k]), so that
    recency is T - minute; T falls out: m n < m[k] (n - r) + m[k+1] r.
    """
    return [(c.below * (bins - c.part) + c.above * c.part - 1) // bins for c in cuts]


def total(values: Values) -> int:
    """Return the exact sum, beyond 64 bits if need be."""
    low = int((values & 0xFFFFFFFF).sum(dtype=np.int64))
    return (int((values >> 32).sum(dtype=np.int64)) << 32) + low
