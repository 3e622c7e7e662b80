"""Cut points as records of the log: which are in force in which partition, and when (semantics R5)."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from reference.cuts import CutPoints, Scale, scale
from reference.moment import Moment
from reference.scores import DAY
from rfm.model import RfmModel
from streams.errors import InputError


@dataclass(frozen=True)
class InForce:
    """What a record says of a model: ``numbers`` of minute ``of``.

    frozen: the minute as of which they hold since nobody is in the population any more, else None: recency
    in days then goes on with the clock.
    """

    of: int
    numbers: Mapping[str, Any]
    frozen: int | None = None

    def cut_points(self, model: RfmModel, minute: int) -> CutPoints:
        """Return the cut points at a minute."""
        day = model.recency_unit == "day"
        at = self.of if not day else minute if self.frozen is None else self.frozen
        size = self.numbers["size"]
        if model.method == "mean":
            last, orders, money = self.numbers["sums"]
            passed = _days(self.numbers, at) if day else at * size - last
            return CutPoints(at, *(scale([(total, size)]) for total in (passed, orders, money)))
        ages = [
            [*((at - order) // (DAY if day else 1) for order in (below, above)), part]
            for below, above, part in self.numbers["recency"]
        ]
        measures = (ages, self.numbers["frequency"], self.numbers["monetary"])
        return CutPoints(at, *(_between(cuts, model.bins) for cuts in measures))


@dataclass
class Course:
    """What is in force of one model in one partition, from each of ``moments`` (ascending) on."""

    moments: list[Moment] = field(default_factory=list)
    cuts: list[InForce | None] = field(default_factory=list)
    newest: int = 0  # the greatest minute of any record taken
    closed: bool = False  # the settings in force declare another model of this name

    def at(self, moment: Moment) -> InForce | None:
        """Return what is in force at a moment, None before the first record."""
        place = bisect_right(self.moments, moment)
        return self.cuts[place - 1] if place else None

    def put(self, moment: Moment, cuts: InForce | None) -> None:
        """Let something be in force from a moment on, behind all others."""
        self.moments.append(moment)
        self.cuts.append(cuts)


class CutRecords:
    """The cuts records of a log, each at its moment.

    ``frames``: all frames of the log, their minutes those of the clock; ``control``: the one of them that
    holds the records. One that is the first of a minute is in force from the opening of it on.
    ``apart``: cut points are records, also where the log has none yet: then nothing is in force.
    Raises InputError for a record that cannot be read.
    """

    def __init__(
        self, models: Sequence[RfmModel], frames: Sequence[pd.DataFrame], control: pd.DataFrame,
        apart: bool = False,
    ) -> None:  # fmt: skip
        self._apart = apart
        self.models = [model for model in models if model.method != "fixed"]
        self.said: list[tuple[int, Moment, dict[str, Any]]] = []  # partition, moment, body
        self.courses: dict[tuple[int, str], Course] = {}
        chosen = control[control["kind"].isin(("cuts", "settings"))]
        opening = _opening_steps(frames) if (chosen["kind"] == "cuts").any() else set()
        for record in chosen.itertuples(index=False):
            partition, step, minute = int(record.partition), int(record.step), int(record.minute)  # type: ignore[arg-type]  # pandas types cells as anything
            body = _read(str(record.body), f"control record, partition {partition}, step {step}")
            moment = Moment(minute, -1 if (partition, step) in opening else step)
            if record.kind == "settings":
                self._change(partition, moment, body)
            else:
                self.said.append((partition, moment, body))
                self._take(partition, moment, body)

    def __bool__(self) -> bool:
        """Whether cut points are records at all."""
        return self._apart or bool(self.said)

    def amid(self, partition: int) -> list[Moment]:
        """Return the moments of a partition's records that come amid the records of a minute, ascending."""
        return [moment for where, moment, _ in self.said if where == partition and moment.step >= 0]

    def at(self, model: RfmModel, partition: int, moment: Moment) -> CutPoints | None:
        """Return the cut points in force in a partition at a moment; None before its first record."""
        course = self.courses.get((partition, model.name))
        held = course.at(moment) if course else None
        return held.cut_points(model, moment.minute) if held else None

    def openings(self, model: RfmModel, partition: int, last: int) -> set[int]:
        """Return the minutes up to ``last`` whose openings may score somebody otherwise by the cuts alone:
        those that records open, and in unit day those at which a recency in them grows."""
        course = self.courses.get((partition, model.name), Course())
        found = {moment.minute for moment in course.moments if moment.step < 0}
        ends = [*(moment.minute for moment in course.moments[1:]), last]
        for begin, end, held in zip(course.moments, ends, course.cuts, strict=False):
            if model.recency_unit == "day" and held is not None and held.frozen is None:
                rolls = _rolls(held.numbers)
                found |= {minute for minute in range(begin.minute, end + 1) if minute % DAY in rolls}
        return {minute for minute in found if minute <= last}

    def _take(self, partition: int, moment: Moment, body: Mapping[str, Any]) -> None:
        """The first record for a model's version and C wins, and C never goes back."""
        for model in self.models:
            said = body["models"].get(model.name)
            course = self.courses.setdefault((partition, model.name), Course())
            if said is None or said["version"] != model.version or course.closed:
                continue
            if body["minute"] <= course.newest:
                continue
            course.newest = body["minute"]
            held = course.cuts[-1] if course.cuts else None
            if said["size"]:
                course.put(moment, InForce(body["minute"], said))
            elif held is not None and held.frozen is None:
                course.put(moment, InForce(held.of, held.numbers, body["minute"] - 1))

    def _change(self, partition: int, moment: Moment, body: Mapping[str, Any]) -> None:
        """Under other settings a model of another declaration has nothing in force (G4)."""
        declared = {one["name"]: one for one in json.loads(body["shop"])["rfm"]}
        for model in self.models:
            course = self.courses.setdefault((partition, model.name), Course())
            course.closed = _what_cuts_rest_on(declared.get(model.name, {})) != _what_cuts_rest_on(
                model.model_dump(mode="json")
            )
            if course.closed and course.cuts:
                course.newest = 0
                course.put(moment, None)


def _what_cuts_rest_on(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if name not in ("segments", "otherwise")}


def _read(body: str, where: str) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(body)
    except json.JSONDecodeError as error:
        hint = "restore the log from a copy"
        raise InputError(where, f"unreadable body {body!r} ({error})", hint) from error
    return said


def _opening_steps(frames: Sequence[pd.DataFrame]) -> set[tuple[int, int]]:
    """Return (partition, step) of the records that are the first of a minute in their partition."""
    names = ["partition", "step", "minute"]
    table = np.concatenate([frame[names].to_numpy(dtype=np.int64).reshape(-1, 3) for frame in frames])
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    first = np.ones(len(table), dtype=bool)
    first[1:] = (np.diff(table[:, 0]) != 0) | (np.diff(table[:, 2]) != 0)
    return {(partition, step) for partition, step, _ in table[first].tolist()}


def _between(cuts: Sequence[Sequence[int]], bins: int) -> Scale:
    """Return the quantile cuts between pairs of neighbours, with their parts of ``bins`` of the way (R3)."""
    return scale([(below * (bins - part) + above * part, bins) for below, above, part in cuts])


def _days(numbers: Mapping[str, Any], minute: int) -> int:
    """Return the sum of whole days since the last orders, which are 1440 q + r: sum of q and r are known."""
    pairs: list[tuple[int, int]] = list(
        zip(numbers["residues"][::2], numbers["residues"][1::2], strict=True)
    )
    whole: int = (numbers["sums"][0] - sum(rest * count for rest, count in pairs)) // DAY
    return sum((minute - rest) // DAY * count for rest, count in pairs) - whole


def _rolls(numbers: Mapping[str, Any]) -> set[int]:
    """Return the minutes of the day at which a recency in days that the cuts rest on grows."""
    if "residues" in numbers:
        return set(numbers["residues"][::2])
    return {order % DAY for below, above, _ in numbers["recency"] for order in (below, above)}
