"""A cost against a number, and how it grows: the slope of a line through its logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.figures import figure

LINEAR = 1.0  # the exponent of what doubles when its cause does


@dataclass(frozen=True)
class Curve:
    """``cost``, in ``unit``, of ``sizes`` (ascending) of something ``named``, such as customers."""

    cost: str
    unit: str
    named: str
    sizes: Sequence[int]
    values: Sequence[float]

    @property
    def times(self) -> float:
        """How many times the cost of the smallest the cost of the largest is."""
        return self.values[-1] / self.values[0]

    @property
    def exponent(self) -> float:
        """The slope of a least-squares line through the logarithms: 0 flat, 1 linear, 2 quadratic."""
        return exponent(self.sizes, self.values)

    @property
    def steepest(self) -> float:
        """The largest exponent between two sizes next to each other; of three sizes or more."""
        pairs = zip(self.sizes, self.sizes[1:], self.values, self.values[1:], strict=False)
        return max(exponent((a, b), (x, y)) for a, b, x, y in pairs)

    @property
    def linear(self) -> list[tuple[float, float]]:
        """What it would be if it grew linearly from the smallest on."""
        first = self.sizes[0], self.values[0]
        return [(size, first[1] * size / first[0]) for size in (self.sizes[0], self.sizes[-1])]

    def row(self) -> dict[str, Any]:
        """Return the curve as one row: the cost of the largest, and the exponent against a linear one."""
        span = f"{self.sizes[0]:,} to {self.sizes[-1]:,}"
        grown = self.sizes[-1] / self.sizes[0]
        against = (
            f"{self.values[0]:,.4g} {self.unit} at the smallest: {self.times:.2f} times for {grown:g} times"
        )
        what = f"{self.cost}, {self.named} {span} (ratio: exponent)"
        return figure(what, self.values[-1], self.unit, against, round(self.exponent, 3), LINEAR)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through (log size, log value).

    >>> round(exponent([1, 10, 100], [3, 30, 300]), 6), round(exponent([1, 2, 4], [1, 4, 16]), 6)
    (1.0, 2.0)
    """
    x, y = np.log(np.asarray(sizes, dtype=np.float64)), np.log(np.asarray(values, dtype=np.float64))
    return float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
