"""The cut points of every minute of a log, in one pass over the minutes at which rows come and go.

`History.cuts` asks one minute and measures everybody; a customer's life needs all minutes, and this is the
quicker way to the same cut points. The two are tested against each other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profiles.windows import Window
from reference.bounds import enters, leaves
from reference.calendar import LATEST
from reference.cuts import CutPoints, recut, take_cuts
from reference.measure import Measure
from reference.metrics import Standing
from reference.scores import DAY, since
from rfm.model import RfmModel

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CutTimeline:
    """The cut points in force from each of ``minutes`` (ascending) on, until the next.

    In unit ``minute`` an entry's recencies are as of its own minute, which scores alike at any later one
    while nobody's orders change (R3).
    """

    minutes: list[int]
    cuts: list[CutPoints]

    def at(self, minute: int) -> CutPoints | None:
        """Return the cut points in force at a minute, None before the first."""
        place = bisect_right(self.minutes, minute)
        return self.cuts[place - 1] if place else None


class Change(NamedTuple):
    """A row that begins or ends to count at the openings from ``minute`` on.

    ``value``: of an order what ``distinct`` looks at, of a term of monetary its signed amount.
    """

    minute: int
    customer: int
    comes: bool
    is_order: bool
    event: int
    value: int


@dataclass
class _Counted:
    """What the rows that count make of one customer, with the means to take each of them back."""

    events: Counter[int] = field(default_factory=Counter)
    newest: list[int] = field(
        default_factory=list
    )  # heap of minus event minutes; the gone are dropped when met
    values: Counter[int] = field(default_factory=Counter)
    money: int = 0

    def take(self, change: Change) -> None:
        step = 1 if change.comes else -1
        if not change.is_order:
            self.money += step * change.value
            return
        self.events[change.event] += step
        self.values[change.value] += step
        if not self.values[change.value]:
            del self.values[change.value]
        if change.comes:
            heappush(self.newest, -change.event)

    def measures(self, distinct: bool) -> tuple[int, int, int, int]:
        """Return present (0 or 1), latest, orders and money."""
        while self.newest and not self.events[-self.newest[0]]:
            heappop(self.newest)
        orders = len(self.values) if distinct else self.values.total()
        return (1, -self.newest[0], orders, self.money) if self.newest else (0, 0, 0, self.money)


def sweep(standing: Standing, model: RfmModel, last: int) -> CutTimeline:
    """Return the cut points of ``model`` from the log's beginning to minute ``last``.

    ``standing`` is any moment of the history. Windows of a customer's own year are not for this function:
    their edges move with the customer.
    """
    terms = standing.pieces.terms[model.name]
    assert terms.orders.window.kind != "own"
    changes = list(_orders(standing, terms.orders, terms.latest))
    for sign, measure in terms.money:
        changes += _money(standing, measure, sign)
    changes.sort(key=lambda change: change.minute)
    people = [_Counted() for _ in range(standing.customers)]
    table = np.zeros((4, standing.customers), dtype=np.int64)
    found = CutTimeline([], [])
    for minute, until, group in _by_minute(changes, last):
        touched = set()
        for change in group:
            people[change.customer].take(change)
            touched.add(change.customer)
        for customer in touched:
            table[:, customer] = people[customer].measures(terms.orders.function == "distinct")
        inside = np.flatnonzero(table[0])
        for cuts in _cuts_between(model, minute, until, *table[1:, inside]):
            found.minutes.append(cuts.minute or 0)
            found.cuts.append(cuts)
    return found


def _cuts_between(
    model: RfmModel, minute: int, until: int, latest: Ints, f: Ints, m: Ints
) -> Iterator[CutPoints]:
    """Yield the cut points taken at ``minute``, and those before ``until`` that differ from the last."""
    cuts = take_cuts(model, minute, since(model, minute, latest), f, m)
    if cuts is None:
        return
    yield cuts
    if model.recency_unit == "minute":
        return
    rolls = np.zeros(DAY, dtype=bool)
    rolls[latest % DAY] = True  # minutes of the day at which somebody's recency grows by a day
    for later in range(minute + 1, until):
        if rolls[later % DAY]:
            again = recut(model, cuts, later, since(model, later, latest))
            if again.recency != cuts.recency:
                cuts = again
                yield cuts


def _by_minute(changes: Sequence[Change], last: int) -> Iterator[tuple[int, int, list[Change]]]:
    """Yield (minute, the next such minute or the one behind ``last``, the changes of that minute)."""
    groups = [(minute, list(group)) for minute, group in groupby(changes, key=lambda change: change.minute)]
    ends = [*(minute for minute, _ in groups), last + 1]
    for (minute, group), until in zip(groups, ends[1:], strict=True):
        if minute <= last:
            yield minute, min(until, last + 1), group


def _orders(standing: Standing, orders: Measure, latest: Measure) -> Iterator[Change]:
    versions = standing.versions[orders.source]
    values = (
        versions.columns[orders.column].values if orders.column else np.zeros(len(versions), dtype=np.int64)
    )
    for begin, end, customer, event, at in _spans(standing, latest):
        value = int(values[at])
        yield Change(begin, customer, True, True, event, value)
        yield Change(end, customer, False, True, event, value)


def _money(standing: Standing, measure: Measure, sign: int) -> Iterator[Change]:
    assert measure.column is not None
    values = standing.versions[measure.source].columns[measure.column].values
    for begin, end, customer, event, at in _spans(standing, measure):
        value = sign * int(values[at])
        yield Change(begin, customer, True, False, event, value)
        yield Change(end, customer, False, False, event, value)


def _spans(standing: Standing, measure: Measure) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield for each row that passes: first opening that counts it, the first that no longer does (T3),
    customer, event minute, number of the version."""
    versions, zone = standing.versions[measure.source], standing.pieces.zone
    rows = np.flatnonzero(standing.filtered(measure))
    event = versions.event[rows]
    begin = np.maximum(versions.minute[rows] + 1, _edges(enters, measure.window, event, zone))
    end = np.minimum(_edges(leaves, measure.window, event, zone), versions.end_minute[rows] + 1)
    counted = begin < end
    columns = (begin, np.minimum(end, LATEST), versions.customer[rows], event, rows)
    yield from zip(*(column[counted].tolist() for column in columns), strict=True)


def _edges(edge: Callable[[Window, int, str], int], window: Window, events: Ints, zone: str) -> Ints:
    different, place = np.unique(events, return_inverse=True)
    found = np.array([edge(window, event, zone) for event in different.tolist()], dtype=np.int64)
    return found[place] if len(events) else events
