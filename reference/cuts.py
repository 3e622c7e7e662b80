"""RFM cut points in whole numbers, the scores they give, and the segments by name (semantics R2 to R5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rfm.model import VALUE_GROUPS, RfmModel
from streams.errors import InputError

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Scale:
    """The cut points of one measure.

    ``floors``: for each cut the greatest whole number that does not exceed it, ascending. A whole number
    v exceeds the rational cut a/n exactly if v > floor(a/n), so whole numbers are enough.
    ``exact``: the cuts themselves as (numerator, denominator), for reports and comparisons.
    """

    floors: tuple[int, ...]
    exact: tuple[tuple[int, int], ...]

    def exceeded(self, value: int) -> int:
        """Return how many cuts ``value`` exceeds; equal is not exceeding (R3).

        >>> quantile_cuts([1, 2, 3, 4], 2).exceeded(3)
        1
        """
        return bisect_left(self.floors, value)

    def exceeded_by(self, values: Numbers) -> Numbers:
        """Return for each value how many cuts it exceeds; shape and dtype (int64) of ``values``."""
        return np.searchsorted(np.array(self.floors, dtype=np.int64), values, side="left").astype(np.int64)


def quantile_cuts(values: Sequence[int] | Numbers, bins: int) -> Scale:
    """Return the ``bins - 1`` cut points of a non-empty population (R3: R's type 7, without rounding).

    With k, r = divmod((N - 1) i, n), cut i is (x[k] (n - r) + x[k+1] r) / n over the sorted values x.

    >>> quantile_cuts([10, 20, 30], 4).exact
    ((60, 4), (80, 4), (100, 4))
    """
    ordered = np.sort(np.asarray(values, dtype=np.int64))
    exact = []
    for i in range(1, bins):
        k, r = divmod((len(ordered) - 1) * i, bins)
        above = int(ordered[k + 1]) if r else 0  # with r = 0 the next value has no weight, nor need it exist
        exact.append((int(ordered[k]) * (bins - r) + above * r, bins))
    return scale(exact)


def mean_cut(values: Sequence[int] | Numbers) -> Scale:
    """Return the one cut of method ``mean``: a value exceeds it if value x N > sum (R4)."""
    numbers = [int(value) for value in values]
    return scale([(sum(numbers), len(numbers))])


def fixed_cuts(cuts: Sequence[int]) -> Scale:
    """Return given cut points as a scale (R4)."""
    return scale([(cut, 1) for cut in sorted(cuts)])


@dataclass(frozen=True)
class CutPoints:
    """The cut points of one model, in force from the opening of ``minute`` (None: given, method fixed).

    ``recency`` is in the model's recency unit as of ``minute``.
    """

    minute: int | None
    recency: Scale
    frequency: Scale
    monetary: Scale


def take_cuts(model: RfmModel, minute: int, r: Numbers, f: Numbers, m: Numbers) -> CutPoints | None:
    """Return the cut points of a population at the opening of ``minute``, or None where it is empty.

    ``r``, ``f``, ``m``: int64 of equal length, one element a customer of the population; recency in the
    model's unit. Method ``fixed`` needs no population.
    """
    if model.method == "fixed":
        if model.fixed is None:
            where = f"rfm model '{model.name}'"
            raise InputError(where, "method fixed without cuts", "declare 'fixed'")
        given = model.fixed
        return CutPoints(None, *(fixed_cuts(c) for c in (given.recency, given.frequency, given.monetary)))
    if len(f) == 0:
        return None
    if model.method == "mean":
        return CutPoints(minute, *(mean_cut(v) for v in (r, f, m)))
    return CutPoints(minute, *(quantile_cuts(v, model.bins) for v in (r, f, m)))


def recut(model: RfmModel, cuts: CutPoints, minute: int, r: Numbers) -> CutPoints:
    """Return the cut points at a later opening where only recencies (int64, not empty) have changed."""
    recency = mean_cut(r) if model.method == "mean" else quantile_cuts(r, model.bins)
    return CutPoints(minute, recency, cuts.frequency, cuts.monetary)


def recency_score(model: RfmModel, scale: Scale, values: Numbers) -> Numbers:
    """Return the recency scores of ``values`` (int64): few minutes ago is a high score (R3).

    For quantiles and fixed cuts n - exceeded. For ``mean`` high (2) means strictly less than the mean and
    equal is low, so the comparison turns round as a whole.
    """
    if model.method == "mean":
        ((total, count),) = scale.exact
        below = -(-total // count)  # v N < sum exactly if v < ceil(sum / N)
        return np.where(values < below, 2, 1).astype(np.int64)
    return len(scale.floors) + 1 - scale.exceeded_by(values)


def forward_score(scale: Scale, values: Numbers) -> Numbers:
    """Return the frequency or monetary scores of ``values`` (int64): 1 + cuts exceeded (R3)."""
    return 1 + scale.exceeded_by(values)


def scores_of(
    model: RfmModel, cuts: CutPoints, recency: int, orders: int, money: int
) -> tuple[int, int, int]:
    """Return R, F and M of one customer, number by number (R3)."""
    f, m = 1 + cuts.frequency.exceeded(orders), 1 + cuts.monetary.exceeded(money)
    if model.method == "mean":
        ((total, count),) = cuts.recency.exact
        return 2 if recency * count < total else 1, f, m
    return len(cuts.recency.floors) + 1 - cuts.recency.exceeded(recency), f, m


def segment_of(model: RfmModel, r: int, f: int, m: int) -> str:
    """Return the name of the first segment whose three ranges hold the scores, else ``otherwise``.

    Method ``mean`` without declared segments has the eight value groups (R4).
    """
    if model.method == "mean" and not model.segments:
        return VALUE_GROUPS["".join("H" if score == 2 else "L" for score in (r, f, m))]
    for segment in model.segments:
        ranges = ((segment.r, r), (segment.f, f), (segment.m, m))
        if all(low <= score <= high for (low, high), score in ranges):
            return segment.name
    return model.otherwise


def scale(exact: Sequence[tuple[int, int]]) -> Scale:
    """Return the scale of cuts as (numerator, denominator)."""
    return Scale(tuple(top // bottom for top, bottom in exact), tuple(exact))
