"""One customer's rows, and what rules see of them at any step or opening: plain Python, row by row.

This is written without `reference.metrics` on purpose: the two check each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reference.bounds import bounds
from reference.cuts import CutPoints, scores_of, segment_of
from reference.evaluate import Reader, Row, Value, row_reader
from reference.history import History
from reference.measure import Measure
from reference.moment import Moment
from reference.pieces import Pieces
from reference.scores import DAY
from rfm.model import RfmModel


@dataclass(frozen=True)
class LifeRow:
    """One version of a row: from its step to the step that took it back (and their minutes)."""

    source: str
    step: int
    minute: int
    end_step: int
    end_minute: int
    event: int
    order: tuple[int, int, int]  # event time, key: W9
    values: Row


def stands(row: LifeRow, moment: Moment) -> bool:
    """Return whether a version stands at a moment: an opening sees nothing of its own minute's records."""
    if moment.step < 0:
        return row.minute < moment.minute <= row.end_minute
    return row.step <= moment.step < row.end_step


def rows_of(history: History, customer: int) -> list[LifeRow]:
    """Return all versions of the rows of the customer of that number, in no particular order."""
    found = []
    for name, versions in history.versions.items():
        for at in np.flatnonzero(versions.customer == customer).tolist():
            values = {column: held.value(at) for column, held in versions.columns.items()}
            order = (int(versions.event_us[at]), int(versions.key_high[at]), int(versions.key_low[at]))
            begin = int(versions.step[at]), int(versions.minute[at])
            end = int(versions.end_step[at]), int(versions.end_minute[at])
            found.append(LifeRow(name, *begin, *end, int(versions.event[at]), order, values))
    return found


class LifeView:
    """What rules see of one customer at a moment (a `reference.evaluate.CustomerView`).

    ``move`` turns to another moment; ``member`` holds the memberships the customer has by now.
    """

    def __init__(self, pieces: Pieces, rows: Sequence[LifeRow]) -> None:
        self._pieces = pieces
        self._rows = rows
        self._filters: dict[Measure, Reader[Row]] = {}
        self._moment = Moment(0)
        self._standing: list[LifeRow] = []
        self._known: dict[Measure, Value] = {}
        self._cuts: dict[str, CutPoints | None] = {}
        self._scored: dict[str, dict[str, Value]] = {}
        self.member: dict[str, bool] = dict.fromkeys(pieces.tags, False)

    def move(self, moment: Moment, cuts: dict[str, CutPoints | None], same_rows: bool = False) -> None:
        """Turn to ``moment`` with the cut points in force there.

        ``same_rows`` promises that no row came, went or crossed a window's edge since the last move.
        """
        self._moment, self._cuts = moment, cuts
        self._scored.clear()
        if not same_rows:
            self._standing = [row for row in self._rows if stands(row, moment)]
            self._known.clear()

    def measure(self, measure: Measure) -> Value:
        if measure not in self._known:
            self._known[measure] = fold(measure, self._counted(measure))
        return self._known[measure]

    def rfm(self, model: str, field: str) -> Value:
        if model not in self._scored:
            declared = next(m for m in self._pieces.models if m.name == model)
            self._scored[model] = self._score(declared)
        return self._scored[model].get(field)

    def tag(self, name: str) -> bool:
        return self.member[name]

    def _counted(self, measure: Measure) -> list[LifeRow]:
        anchor = None
        if measure.window.kind == "own":
            held = self.measure(self._pieces.attributes[measure.window.attribute])
            assert held is None or isinstance(held, int)
            anchor = held
        low, high = bounds(measure.window, self._moment.minute, self._pieces.zone, anchor)
        rows = [r for r in self._standing if r.source == measure.source and low <= r.event < high]
        if measure.filter:
            if measure not in self._filters:
                self._filters[measure] = row_reader(measure.filter)
            passes = self._filters[measure]
            rows = [row for row in rows if passes(row.values)]
        if measure.column:
            rows = [row for row in rows if row.values[measure.column] is not None]
        return rows

    def _score(self, model: RfmModel) -> dict[str, Value]:
        terms = self._pieces.terms[model.name]
        latest = self.measure(terms.latest)
        if latest is None:
            return {"member": False}
        minute = self._moment.minute
        orders = self.measure(terms.orders)
        money = sum(sign * whole(self.measure(measure)) for sign, measure in terms.money)
        unit = DAY if model.recency_unit == "day" else 1
        recency = (minute - whole(latest)) // unit
        out: dict[str, Value] = {"recency": recency, "frequency": orders, "monetary": money, "member": True}
        cuts = self._cuts[model.name]
        if cuts is None:
            return out
        as_of = minute if unit == DAY or cuts.minute is None else cuts.minute
        r, f, m = scores_of(model, cuts, (as_of - whole(latest)) // unit, whole(orders), money)
        segment = segment_of(model, r, f, m)
        return out | {"r": r, "f": f, "m": m, "score": 100 * r + 10 * f + m, "segment": segment}


def fold(measure: Measure, rows: Iterable[LifeRow]) -> Value:
    """Return what a metric makes of the rows that count (M2, M3, W9).

    A row's value is its column's; without a column, its event minute.
    """
    ordered = sorted(rows, key=lambda row: row.order)
    values = [row.values[measure.column] if measure.column else row.event for row in ordered]
    match measure.function:
        case "count":
            return len(values)
        case "distinct":
            return len(set(values))
        case "sum":
            return sum(whole(value) for value in values)
    if not values:
        return None
    match measure.function:
        case "avg":
            return Fraction(sum(whole(value) for value in values), len(values))
        case "min":
            return min(whole(value) for value in values)
        case "max":
            return max(whole(value) for value in values)
        case "first":
            return values[0]
    return values[-1]


def whole(value: Value) -> int:
    """Return a value that can only be a whole number."""
    assert isinstance(value, int)
    return value
