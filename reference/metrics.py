"""Every customer's metric at a minute, from the rows that stand there (semantics W5, W9, M1 to M3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reference.bounds import bounds
from reference.evaluate import row_reader
from reference.measure import Measure
from reference.pieces import Pieces, names_in
from reference.versions import Column, Versions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SURE = 2.0**62  # a sum whose absolute values stay below this in floats cannot overflow 64 bits


class Standing:
    """The rows that stand at one moment, and every customer's metrics over them.

    ``minute``: where the windows stand; ``versions``: source name to its versions; ``stand``: which of a
    source's versions stand at this moment; ``customers``: how many customers there are.
    """

    def __init__(
        self,
        pieces: Pieces,
        versions: Mapping[str, Versions],
        customers: int,
        minute: int,
        stand: Mapping[str, Bools],
        passing: dict[Measure, Bools],
    ) -> None:
        self.pieces = pieces
        self.versions = versions
        self.customers = customers
        self.minute = minute
        self._standing = stand
        self._passing = passing  # filters do not depend on the moment: kept across moments
        self._anchors: dict[str, tuple[Ints, Bools]] = {}

    def rows(self, measure: Measure) -> Ints:
        """Return the numbers of the versions that ``measure`` counts (a null column does not count, M2)."""
        versions = self.versions[measure.source]
        counted = self._standing[measure.source] & self.filtered(measure)
        low, high = self._bounds(measure, versions)
        return np.flatnonzero(counted & (versions.event >= low) & (versions.event < high))

    def values(self, measure: Measure) -> tuple[Ints, Bools]:
        """Return values (int64; a text's number) and null mask, one element a customer; any function but avg.

        Raises OverflowError when a sum does not fit 64 bits (M1).
        """
        versions, at = self.versions[measure.source], self.rows(measure)
        customer = versions.customer[at]
        if measure.function == "count":
            return np.bincount(customer, minlength=self.customers).astype(np.int64), self._none()
        values = versions.columns[measure.column].values[at] if measure.column else versions.event[at]
        if measure.function == "sum":
            return _sums(customer, values, self.customers, measure), self._none()
        if measure.function == "distinct":
            pairs = np.unique(np.stack([customer, values]), axis=1)[0]
            return np.bincount(pairs, minlength=self.customers).astype(np.int64), self._none()
        chosen = self._chosen(measure.function, versions, at, values)
        return _spread(chosen, customer, values, self.customers)

    def series(self, measure: Measure) -> pd.Series[Any]:
        """Return a metric as a nullable column over the customer numbers.

        Int64; string for text; for ``avg`` objects: the exact pair (sum, count), null when nothing counts.
        """
        if measure.function == "avg":
            total, _ = self.values(_with(measure, "sum"))
            count, _ = self.values(_with(measure, "count"))
            pairs = [(int(t), int(n)) if n else None for t, n in zip(total, count, strict=True)]
            return pd.Series(pairs, dtype="object")
        values, null = self.values(measure)
        column = self._column(measure)
        if column is not None and column.texts is not None and measure.function in ("first", "last"):
            texts = column.texts
            held = [None if n else texts[v] for v, n in zip(values.tolist(), null.tolist(), strict=True)]
            return pd.Series(held, dtype="string")
        return pd.Series(pd.arrays.IntegerArray(values, null))

    def _column(self, measure: Measure) -> Column | None:
        return self.versions[measure.source].columns[measure.column] if measure.column else None

    def _none(self) -> Bools:
        return np.zeros(self.customers, dtype=bool)

    def filtered(self, measure: Measure) -> Bools:
        """Return which of the source's versions, standing or not, pass filter and have the column."""
        if measure not in self._passing:
            versions = self.versions[measure.source]
            passing = np.ones(len(versions), dtype=bool)
            if measure.filter:
                passing = versions.passing(row_reader(measure.filter), names_in(measure.filter))
            if measure.column:
                passing = passing & ~versions.columns[measure.column].null
            self._passing[measure] = passing
        return self._passing[measure]

    def _bounds(self, measure: Measure, versions: Versions) -> tuple[Ints | int, Ints | int]:
        window = measure.window
        if window.kind != "own":
            return bounds(window, self.minute, self.pieces.zone)
        if window.attribute not in self._anchors:
            self._anchors[window.attribute] = self.values(self.pieces.attributes[window.attribute])
        anchors, null = self._anchors[window.attribute]
        low, high = np.zeros(self.customers, dtype=np.int64), np.zeros(self.customers, dtype=np.int64)
        for anchor in np.unique(anchors[~null]):
            mine = ~null & (anchors == anchor)
            low[mine], high[mine] = bounds(window, self.minute, self.pieces.zone, int(anchor))
        return low[versions.customer], high[versions.customer]

    @staticmethod
    def _chosen(function: str, versions: Versions, at: Ints, values: Ints) -> Ints:
        """Return places in ``at``, ordered so that each customer's last one is the row wanted (W9, M3)."""
        customer = versions.customer[at]
        if function in ("min", "max"):
            order = np.lexsort((values, customer))
        else:
            order = np.lexsort((versions.key_low[at], versions.key_high[at], versions.event_us[at], customer))
        return order[::-1] if function in ("min", "first") else order


def _with(measure: Measure, function: str) -> Measure:
    return Measure(function, measure.source, measure.column, measure.window, measure.filter)


def _spread(order: Ints, customer: Ints, values: Ints, customers: int) -> tuple[Ints, Bools]:
    """Give each customer the value that comes last for it in ``order``; null where there is none."""
    result, null = np.zeros(customers, dtype=np.int64), np.ones(customers, dtype=bool)
    sequence = customer[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = sequence[1:] != sequence[:-1]
    result[sequence[last]] = values[order[last]]
    null[sequence[last]] = False
    return result, null


def _sums(customer: Ints, values: Ints, customers: int, measure: Measure) -> Ints:
    """Add up exactly; only customers whose floats come near the limit are added in Python."""
    totals = np.zeros(customers, dtype=np.int64)
    size = np.bincount(customer, weights=np.abs(values.astype(np.float64)), minlength=customers)
    np.add.at(totals, customer, values)
    for number in np.flatnonzero(size >= SURE):
        exact = sum(int(value) for value in values[customer == number])
        if not -(2**63) <= exact < 2**63:
            raise OverflowError(f"{measure}: the sum {exact} does not fit 64 bits: use a smaller scale")
        totals[number] = exact
    return totals
