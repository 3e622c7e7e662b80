"""The numbers that put a model's cut points in force, taken from a whole population (semantics R3 to R5).

They stand in a cuts record, so they are whole numbers of any size and name no partition. Recency is held as
minutes of last orders: what the clock makes of them is worked out where they are in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfm.cuts import OrderStatistic, Values, exceeding, order_statistics, reaching, total
from rfm.model import RfmModel

DAY = 1440
NOBODY = np.zeros(0, dtype=np.int64)
MEASURES = ("recency", "frequency", "monetary")


@dataclass(frozen=True)
class CutNumbers:
    """What a population of ``size`` customers gives one model; of size 0 nothing else is set.

    recency, frequency, monetary: method quantiles: the order statistics of each cut, recency's as minutes of
    last orders, the latest first. sums: method mean: those of the three, recency's of minutes. residues:
    method mean by day: int64 (1440,), customers by the last order's minute modulo 1440; else empty.
    """

    size: int
    recency: tuple[OrderStatistic, ...] = ()
    frequency: tuple[OrderStatistic, ...] = ()
    monetary: tuple[OrderStatistic, ...] = ()
    sums: tuple[int, int, int] = (0, 0, 0)
    residues: NDArray[np.int64] = field(default_factory=lambda: NOBODY, compare=False)

    def least(self, measure: str) -> list[int]:
        """Return for each cut of ``frequency`` or ``monetary`` the least value that exceeds it (R3, R4)."""
        if cuts := getattr(self, measure):
            return exceeding(cuts, len(cuts) + 1)
        return [self.sums[MEASURES.index(measure)] // self.size + 1]

    def reach(self) -> list[int]:
        """Return for each cut of recency in minutes the last order minute that exceeds it (R3, R4)."""
        if self.recency:
            return reaching(self.recency, len(self.recency) + 1)
        return [self.sums[0] // self.size]  # low recency: m N <= sum of m

    def days_at(self, minute: int) -> int:
        """Return the sum of the population's recencies in whole days at a minute (method mean by day).

        With m = 1440 q + r every floor((minute - m) / 1440) is floor((minute - r) / 1440) - q.
        """
        rest = np.arange(DAY)
        whole_days = (self.sums[0] - int((rest * self.residues).sum())) // DAY
        return int((self.residues * ((minute - rest) // DAY)).sum()) - whole_days

    def said(self, version: str) -> dict[str, Any]:
        """Return what a cuts record says of the model of a version: names, lists and whole numbers."""
        out: dict[str, Any] = {"version": version, "size": self.size}
        if self.recency:
            for name in MEASURES:
                out[name] = [[cut.below, cut.above, cut.part] for cut in getattr(self, name)]
        elif self.size:
            out["sums"] = list(self.sums)
        if len(self.residues):
            there = np.flatnonzero(self.residues)
            out["residues"] = np.stack([there, self.residues[there]], axis=1).reshape(-1).tolist()
        return out


def numbers_said(said: Mapping[str, Any]) -> CutNumbers:
    """Return the numbers that `CutNumbers.said` wrote."""
    recency, frequency, monetary = (
        tuple(OrderStatistic(*cut) for cut in said.get(name, ())) for name in MEASURES
    )
    first, second, third = said.get("sums", (0, 0, 0))
    residues = NOBODY
    if "residues" in said:
        residues = np.zeros(DAY, dtype=np.int64)
        residues[said["residues"][::2]] = said["residues"][1::2]
    sums = (first, second, third)
    return CutNumbers(said["size"], recency, frequency, monetary, sums, residues)


def numbers_of(
    model: RfmModel, recent: Values, frequency: Values, monetary: Values, pack: int = 1
) -> CutNumbers:
    """Return the numbers of a whole population: three ascending int64 arrays of equal length.

    recent: the minutes of last orders, each times ``pack`` and something less than that.
    """
    size = len(frequency)
    if size == 0:
        return CutNumbers(0)
    if model.method == "quantiles":
        packed = order_statistics(recent[::-1], model.bins)
        latest = tuple(OrderStatistic(c.below // pack, c.above // pack, c.part) for c in packed)
        orders, money = (tuple(order_statistics(values, model.bins)) for values in (frequency, monetary))
        return CutNumbers(size, latest, orders, money)
    minutes = recent // pack if pack > 1 else recent
    sums = (total(minutes), total(frequency), total(monetary))
    return CutNumbers(size, sums=sums, residues=residues_of(model, minutes))


def residues_of(model: RfmModel, recent: Values, counts: Values | None = None) -> Values:
    """Return how many last orders there are of each minute modulo 1440, where the model needs to know it.

    counts: how many customers have each of ``recent``, int64; one each when absent.
    """
    if model.method != "mean" or model.recency_unit != "day":
        return NOBODY
    if counts is None:
        return np.bincount(recent % DAY, minlength=DAY)
    residues = np.zeros(DAY, dtype=np.int64)
    np.add.at(residues, recent % DAY, counts)
    return residues
