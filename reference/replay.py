"""A customer's life from its first record on, judged at every step and opening that can change it.

For what a minute alone cannot tell: membership with a memory (``sticky``, ``max``), since, transitions.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reference.bounds import enters, leaves
from reference.calendar import LATEST
from reference.control import ManualRecord, manual_records
from reference.cuts import CutPoints
from reference.evaluate import CustomerView, Reader, Value, customer_reader
from reference.history import History
from reference.life import LifeRow, LifeView, rows_of, whole
from reference.membership import Membership
from reference.moment import BEHIND, Moment
from reference.scores import DAY
from reference.units import Unit, members, units_in_order
from rfm.model import RfmModel


@dataclass(frozen=True)
class Transition:
    """One change of a tag or a segment.

    ``step`` is None for what an opening changes. For a tag ``before`` and ``after`` are False and True
    (enter) or True and False (leave), ``since`` the minute at which the membership began. For a segment,
    ``name`` is the RFM model, before and after are segments (None: none), ``since`` is the minute.
    """

    partition: int
    minute: int
    step: int | None
    customer: str
    kind: str
    name: str
    before: bool | str | None
    after: bool | str | None
    since: int


class Life:
    """One customer's replay. ``run`` yields its transitions in order and leaves the final state behind.

    ``every_minute`` judges at each opening, which is simple and slow. Otherwise only at those where a row of
    the customer crosses an edge, a hold falls due, or the cut points that some rule reads may change: enough
    for tags, not for the segments of models that no rule reads.
    """

    def __init__(self, history: History, customer: str, every_minute: bool) -> None:
        self._history = history
        self._pieces = history.pieces
        self._customer = customer
        self._every_minute = every_minute
        number = history.customers.number[customer]
        self._rows = rows_of(history, number)
        self._steps = history.steps_of(number)
        self._partition = history.partition_of(number)
        self._amid = set(history.records.amid(self._partition))  # cut points come and re-score everybody
        self._manual = _manual_steps(history, customer)
        self._erased = set(history.erased.moments(number))
        self._view = LifeView(self._pieces, self._rows)
        self._units = units_in_order(self._pieces)
        self._readers: dict[str, Reader[CustomerView]] = {
            tag: customer_reader(tree, self._pieces) for tag, tree in self._pieces.rules.items()
        }
        self.state = {tag: Membership(declared) for tag, declared in self._pieces.tags.items()}
        self.since: dict[str, int] = {}
        self._started = False
        self._models = self._pieces.models if every_minute else self._pieces.models_read
        self._row_edges: set[int] = set()
        self._scores: list[Value] = []
        self._holds: set[int] = set()
        self._segment: dict[str, Value] = {model.name: None for model in self._pieces.models}

    @property
    def member(self) -> dict[str, bool]:
        """Tag to membership, as of the last moment run."""
        return self._view.member

    def run(self, until: int) -> Iterator[Transition]:
        """Yield the transitions up to just before advance(until + 1)."""
        for found in self._walk([until]):
            if isinstance(found, Transition):
                yield found

    def states(self, minutes: Iterable[int]) -> Iterator[tuple[int, dict[str, bool], dict[str, bool]]]:
        """Yield (minute, rule truth by tag, membership by tag) at each of the minutes, ascending.

        Minutes before the customer's first record are left out.
        """
        for found in self._walk(sorted(minutes)):
            if isinstance(found, int) and self._started:
                yield found, {tag: state.truth for tag, state in self.state.items()}, dict(self.member)

    def _walk(self, stops: list[int]) -> Iterator[Transition | int]:
        """Judge step by step and opening by opening; yield transitions, and each stop when it is reached."""
        if not stops:
            return
        until = stops[-1]
        steps = [moment for moment in self._steps if moment.minute <= until]
        openings = self._openings(steps[0].minute + 1, until) if steps else []
        amid = [moment for moment in self._amid if moment.minute <= until]
        for moment in sorted([*steps, *amid, *(Moment(minute, BEHIND) for minute in stops)]):
            while openings and openings[0] <= moment.minute:
                minute = heapq.heappop(openings)
                while openings and openings[0] == minute:
                    heapq.heappop(openings)
                if self._started:
                    yield from self._judge(Moment(minute), openings)
            if moment.step == BEHIND:
                yield moment.minute
            elif moment in self._amid:
                if self._started:
                    yield from self._judge(moment, openings)
            else:
                self._set_by_hand(moment)
                if moment in self._erased:
                    yield from self._erase(moment)
                    continue
                self._started = True
                yield from self._judge(moment, openings)

    def _openings(self, first: int, until: int) -> list[int]:
        """Return a heap of the openings to judge at; those that fall due later are pushed as they come."""
        if self._every_minute:
            return list(range(first, until + 1))  # ascending, so already a heap
        self._row_edges = {minute for row in self._rows for minute in self._edges(row)}
        found = set(self._row_edges)
        for model in self._models:
            found |= self._history.cut_openings(model, self._partition, until)
        heap = [minute for minute in found if first <= minute <= until]
        heapq.heapify(heap)
        return heap

    def _edges(self, row: LifeRow) -> Iterator[int]:
        """Yield the minutes at which some window takes the row in or lets it go."""
        for window in {m.window for m in self._pieces.measures if m.source == row.source}:
            for anchor in self._history.anchor_values(window.attribute):
                yield enters(window, row.event, self._pieces.zone, anchor)
                yield leaves(window, row.event, self._pieces.zone, anchor)
        for edge in self._pieces.recency_edges(row.source):
            yield row.event + edge

    def _set_by_hand(self, step: Moment) -> None:
        for record in self._manual.get(step, ()):
            if record.tag in self.state:
                self.state[record.tag].manual = record.setting

    def _judge(self, moment: Moment, openings: list[int]) -> Iterator[Transition]:
        cuts = {model.name: self._cuts(model, moment) for model in self._models}
        same_rows = moment.step < 0 and not self._every_minute and moment.minute not in self._row_edges
        self._view.move(moment, cuts, same_rows)
        scores = [self._view.rfm(model.name, field) for model in self._models for field in ("r", "f", "m")]
        # at an opening that only moved the cut points nothing but the scores can have changed
        if not same_rows or scores != self._scores or moment.minute in self._holds:
            self._scores = scores
            yield from self._judge_all(moment)
        for due in self._due(moment.minute):
            if moment.minute < due < LATEST:
                heapq.heappush(openings, due)

    def _erase(self, moment: Moment) -> Iterator[Transition]:
        """Leave every segment and tag, in the order in which they are judged, and forget everything (P7)."""
        for name, segment in self._segment.items():
            if segment is not None:
                self._segment[name] = None
                yield self._transition(moment, "segment", name, segment, None, moment.minute)
        for tag in [tag for unit in self._units for tag in unit.tags if self.member[tag]]:
            self.member[tag] = False
            yield self._transition(moment, "tag", tag, True, False, self.since[tag])
        self.state = {tag: Membership(declared) for tag, declared in self._pieces.tags.items()}
        self.since.clear()
        self._holds, self._scores, self._started = set(), [], False

    def _judge_all(self, moment: Moment) -> Iterator[Transition]:
        for model in self._models:
            segment = self._view.rfm(model.name, "segment")
            if segment != self._segment[model.name]:
                before, self._segment[model.name] = self._segment[model.name], segment
                yield self._transition(moment, "segment", model.name, before, segment, moment.minute)
        for unit in self._units:
            yield from self._judge_unit(unit, moment)
        self._holds = {due for state in self.state.values() for due in state.due()}

    def _cuts(self, model: RfmModel, moment: Moment) -> CutPoints | None:
        if self._every_minute or self._history.records:
            return self._history.in_force(model, self._partition, moment)
        return self._history.all_cuts(model).at(moment.minute)

    def _due(self, minute: int) -> Iterator[int]:
        """Yield minutes at which a hold ends, or recency in days grows although nothing happens."""
        yield from self._holds
        for model in self._models:
            latest = self._view.measure(self._pieces.terms[model.name].latest)
            if model.recency_unit == "day" and latest is not None:
                yield minute + DAY - (minute - whole(latest)) % DAY

    def _judge_unit(self, unit: Unit, moment: Moment) -> Iterator[Transition]:
        candidate = {}
        for tag in unit.tags:
            truth = tag in self._readers and bool(self._readers[tag](self._view))
            candidate[tag] = self.state[tag].judge(moment.minute, truth)
        now = members(unit, candidate)
        # leaving precedes entering (G2)
        changed = sorted((tag for tag in unit.tags if now[tag] != self.member[tag]), key=lambda tag: now[tag])
        for tag in changed:
            self.member[tag] = now[tag]
            if now[tag]:
                self.since[tag] = moment.minute
            yield self._transition(moment, "tag", tag, not now[tag], now[tag], self.since[tag])

    def _transition(
        self, moment: Moment, kind: str, name: str, before: Value, after: Value, since: int
    ) -> Transition:
        assert isinstance(before, bool | str | None)
        assert isinstance(after, bool | str | None)
        step = moment.step if moment.step >= 0 else None
        where = (self._partition, moment.minute, step, self._customer)
        return Transition(*where, kind, name, before, after, since)


def _manual_steps(history: History, customer: str) -> dict[Moment, list[ManualRecord]]:
    found: dict[Moment, list[ManualRecord]] = {}
    for record in manual_records(history.log.control):
        if record.customer == customer:
            found.setdefault(Moment(record.minute, record.step), []).append(record)
    return found
