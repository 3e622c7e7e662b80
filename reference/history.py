"""The whole log as versions, and any moment of it: the minute's end, or its opening (semantics T3, R5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reference.bounds import leaves
from reference.calendar import LATEST
from reference.customers import Customers
from reference.cuts import CutPoints, take_cuts
from reference.erased import Erased
from reference.frames import Log, check_log
from reference.measure import Measure
from reference.metrics import Standing
from reference.moment import Moment
from reference.pieces import Pieces
from reference.records import CutRecords
from reference.scores import measured
from reference.sweep import CutTimeline, sweep
from reference.versions import Versions, read_versions
from rfm.model import RfmModel

Bools = NDArray[np.bool_]


class History:
    """A log read once, asked at many minutes.

    ``corrected``: every row as it is known today, as if it had come at its own event minute (L5); ``apart``:
    cut points are records, even if the log has none yet (R5).
    """

    def __init__(
        self,
        pieces: Pieces,
        frames: Mapping[str, pd.DataFrame],
        control: pd.DataFrame,
        corrected: bool = False,
        apart: bool = False,
    ) -> None:
        self.pieces = pieces
        self.log: Log = check_log(pieces, frames, control)
        named = [frame["customer"].dropna() for frame in self._frames]
        self.customers = Customers(customer for column in named for customer in column.unique())
        rows = self.log.rows.items()
        self.erased = Erased(self.log.control, self.customers)
        read = {
            name: read_versions(pieces, name, frame, self.customers, self.erased) for name, frame in rows
        }
        self.versions = {name: versions for name, (versions, _) in read.items()}
        self._accepted = [accepted for _, accepted in read.values()]
        if corrected:
            self.versions = {name: _as_known_today(of) for name, of in self.versions.items()}
        self.corrected = corrected
        self.records = CutRecords(pieces.models, self._frames, self.log.control, apart)
        self._passing: dict[Measure, Bools] = {}
        self._cuts: dict[tuple[str, int], CutPoints | None] = {}
        self._timelines: dict[str, CutTimeline] = {}

    def at(self, minute: int) -> Standing:
        """Return the rows that stand at minute ``minute``, that is just before advance(minute + 1)."""
        return self._standing(minute, {name: of.at(minute) for name, of in self.versions.items()})

    def at_opening(self, minute: int) -> Standing:
        """Return the rows that stand when ``minute`` opens, behind T3 (1) to (4): cuts are taken there."""
        return self._standing(minute, {name: of.at_opening(minute) for name, of in self.versions.items()})

    def cuts(self, model: RfmModel, minute: int) -> CutPoints | None:
        """Return the cut points of ``model`` as of ``minute``: those of the last opening with anybody in the
        population; None where there was none yet (R3, R5). They are in force where none are records."""
        if (model.name, minute) not in self._cuts:
            found = self._taken(model, minute)
            candidates = iter(self._last_minutes(model, minute))
            while found is None and (earlier := next(candidates, None)) is not None:
                found = self._taken(model, earlier)
            self._cuts[model.name, minute] = found
        return self._cuts[model.name, minute]

    def in_force(self, model: RfmModel, partition: int, moment: Moment) -> CutPoints | None:
        """Return the cut points in force in a partition at a moment: those of its records, if the log has
        any (R5)."""
        if self.records and model.method != "fixed":
            return self.records.at(model, partition, moment)
        return self.cuts(model, moment.minute)

    def known_by(self, minute: int) -> Bools:
        """Return which customers some record has named by ``minute`` and since they were erased, if they
        were; corrected: at all."""
        last = self.span[1] if self.corrected else minute
        erased = np.append(self.erased.last_by(last, len(self.customers)), -1)  # the last is nobody's
        known = np.zeros(len(self.customers), dtype=bool)
        for frame, numbers in zip(self._frames, self._naming, strict=True):
            named = (numbers >= 0) & (frame["minute"].to_numpy() <= last)
            named &= frame["step"].to_numpy() > erased[numbers]
            known[numbers[named]] = True
        return known

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first and the last minute of any record; (0, -1) for an empty log."""
        minutes = [frame["minute"] for frame in self._frames if len(frame)]
        if not minutes:
            return 0, -1
        return min(int(m.min()) for m in minutes), max(int(m.max()) for m in minutes)

    def _standing(self, minute: int, stand: dict[str, Bools]) -> Standing:
        return Standing(self.pieces, self.versions, len(self.customers), minute, stand, self._passing)

    def _taken(self, model: RfmModel, minute: int) -> CutPoints | None:
        if model.method == "fixed":
            nobody = np.zeros(0, dtype=np.int64)
            return take_cuts(model, minute, nobody, nobody, nobody)
        population = measured(self.at_opening(minute), model)
        inside = np.flatnonzero(population.present)
        values = (population.recency(model, minute), population.orders, population.money)
        r, f, m = (value[inside] for value in values)
        return take_cuts(model, minute, r, f, m)

    def _last_minutes(self, model: RfmModel, minute: int) -> list[int]:
        """Return the minutes before ``minute``, newest first, at which a counted order was counted last."""
        latest = self.pieces.terms[model.name].latest
        versions = self.versions[latest.source]
        anchors = self.anchor_values(latest.window.attribute)
        found = set(versions.end_minute[versions.end_minute < LATEST].tolist())
        for event in np.unique(versions.event).tolist():
            for anchor in anchors:
                found.add(leaves(latest.window, event, self.pieces.zone, anchor) - 1)
        found |= self._anchor_changes(latest.window.attribute)
        return sorted((m for m in found if self.span[0] <= m < minute), reverse=True)

    def all_cuts(self, model: RfmModel) -> CutTimeline:
        """Return the cut points of every minute of the log.

        Takes seconds for half a million rows; in unit ``day``, where recency grows by itself, up to a minute
        a year. The answer is kept.
        """
        if model.name not in self._timelines:
            first, last = self.span
            own = self.pieces.terms[model.name].orders.window.kind == "own"
            if own or model.method == "fixed":
                minutes = range(first, last + 1) if own else range(first, first + 1)
                taken = ((minute, self.cuts(model, minute)) for minute in minutes)
                known = [(minute, cuts) for minute, cuts in taken if cuts is not None]
                timeline = CutTimeline([minute for minute, _ in known], [cuts for _, cuts in known])
            else:
                timeline = sweep(self.at(last), model, last)
            self._timelines[model.name] = timeline
        return self._timelines[model.name]

    def cut_openings(self, model: RfmModel, partition: int, last: int) -> set[int]:
        """Return the minutes up to ``last`` at whose openings the cut points of a partition may change."""
        if self.records and model.method != "fixed":
            return self.records.openings(model, partition, last)
        return set(self.all_cuts(model).minutes)

    def steps_of(self, customer: int) -> list[Moment]:
        """Return, in order, the steps that touch the customer of that number: its records, and the records
        that take one of its rows back."""
        found = {
            Moment(int(minute), int(step))
            for frame, numbers in zip(self._frames, self._naming, strict=True)
            for minute, step in frame.loc[numbers == customer, ["minute", "step"]].to_numpy(dtype=np.int64)
        }
        for versions in self.versions.values():
            ended = (versions.customer == customer) & (versions.end_step < LATEST)
            steps = zip(versions.end_minute[ended].tolist(), versions.end_step[ended].tolist(), strict=True)
            found |= {Moment(minute, step) for minute, step in steps}
        return sorted(found)

    def partition_of(self, customer: int) -> int:
        """Return the partition in which the customer's records stand (P1)."""
        for frame, numbers in zip(self._frames, self._numbers, strict=True):
            if len(here := np.flatnonzero(numbers == customer)):
                return int(frame["partition"].iloc[here[0]])
        raise KeyError(customer)

    @cached_property
    def partitions(self) -> NDArray[np.int64]:
        """By the customer's number the partition in which its records stand (P1)."""
        found = np.zeros(len(self.customers), dtype=np.int64)
        for frame, numbers in zip(self._frames, self._numbers, strict=True):
            named = numbers >= 0
            found[numbers[named]] = frame["partition"].to_numpy(dtype=np.int64)[named]
        return found

    def clock_of(self, partition: int) -> int:
        """Return the minute at which a partition's clock stands behind its last record (T2)."""
        minutes = [frame.loc[frame["partition"] == partition, "minute"] for frame in self._frames]
        return max(int(minute.max()) for minute in minutes if len(minute))

    @cached_property
    def _frames(self) -> list[pd.DataFrame]:
        return [*self.log.rows.values(), self.log.control]

    @cached_property
    def _numbers(self) -> list[NDArray[np.int64]]:
        """For each frame the number of each record's customer; -1 where a record names none."""
        return [self.customers.numbers(frame["customer"]) for frame in self._frames]

    @cached_property
    def _naming(self) -> list[NDArray[np.int64]]:
        """As ``_numbers``, but -1 where a record does not count by its position (W1)."""
        rows = zip(self._numbers[:-1], self._accepted, strict=True)
        return [*(np.where(accepted, numbers, -1) for numbers, accepted in rows), self._numbers[-1]]

    def anchor_values(self, attribute: str) -> list[int | None]:
        """Return every value that a date attribute ever had; [None] for windows without one."""
        if not attribute:
            return [None]
        held = self.pieces.attributes[attribute]
        column = self.versions[held.source].columns[held.column or ""]
        return list(np.unique(column.values[~column.null]).tolist())

    def _anchor_changes(self, attribute: str) -> set[int]:
        if not attribute:
            return set()
        versions = self.versions[self.pieces.attributes[attribute].source]
        return {*versions.minute.tolist(), *versions.end_minute.tolist(), *versions.event.tolist()}


def _as_known_today(versions: Versions) -> Versions:
    standing = versions.take(np.flatnonzero(versions.end_minute == LATEST))
    return replace(standing, minute=standing.event)
