"""Partitions apart: an engine for each, and the cuts records that are made from their reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from app.inspect import held_at
from app.replay import new_engine
from engine.engine import Engine
from engine.outcome import decisions, transitions
from engine.partition import HISTORY, LIVE, Partition, RawEffects
from rfm.merge import merged
from rfm.model import RfmModel
from rfm.record import said
from rfm.report import Report, decoded
from tests.laws.run import Outcome, Run
from tests.laws.shops import Small
from tests.laws.world import CUTS, IMPORT, TICK, Log, Record, batch_of, split

Parts = list[list[Record]]
Reports = dict[int, Mapping[str, bytes]]


class Partitions:
    """An engine for each partition of a shop, none of which knows of the others."""

    def __init__(self, small: Small, partitions: int) -> None:
        self.small = small
        self.outcome = Outcome([], [])
        self.engines = [self.new(number) for number in range(partitions)]

    def new(self, number: int) -> Engine:
        """Return an empty engine of a partition."""

        def take(_: int, partition: Partition, raw: RawEffects) -> None:
            self.outcome.transitions += transitions(partition, number, raw)
            self.outcome.decisions += decisions(partition, number, raw)

        return new_engine(self.small.shop, self.small.plan, 1, take, apart=True)

    def feed(self, parts: Parts) -> Partitions:
        """Queue each partition's records."""
        for engine, records in zip(self.engines, parts, strict=True):
            engine.feed(0, batch_of(self.small, engine.partitions[0], records), engine.steps[0])
        return self

    def to(self, minute: int | None = None) -> Partitions:
        """Apply what is queued up to the end of a minute, one partition after the other, and stand there."""
        for engine in self.engines:
            engine.run(minute)
            if minute is not None and engine.clock < minute:
                engine.advance(minute, LIVE if engine.partitions[0].mode == LIVE else HISTORY)
        return self

    @property
    def digest(self) -> list[str]:
        return [engine.digests[0].hexdigest() for engine in self.engines]

    def together(self) -> Run:
        """All of them, to be asked what a `Run` is asked (`held`, `since`)."""
        run = cast(Run, SimpleNamespace(small=self.small))
        partitions = [engine.partitions[0] for engine in self.engines]
        run.engine = cast(Engine, SimpleNamespace(plan=self.small.plan, partitions=partitions))
        return run

    def held(self) -> Mapping[str, pd.DataFrame]:
        """Everything they hold, in the shape of the recompute."""
        return held_at(self.together().engine, self.small.pieces)

    def since(self) -> dict[tuple[str, str], int]:
        return Run.since(self.together())


@dataclass(frozen=True)
class Minute:
    """A minute at which every partition has a record: its mode, and the body of its cuts record: of all
    models, and of those alone whose population has changed."""

    mode: int
    whole: dict[str, Any]
    changed: dict[str, Any]


def reports_of(small: Small, parts: Parts) -> list[Reports]:
    """Return what each partition reports at its openings, as bytes: the last holds until the next."""
    run = Partitions(small, len(parts))
    found = [listen(engine) for engine in run.engines]
    run.feed(parts).to()
    return found


def listen(engine: Engine) -> Reports:
    """Return what an engine of one partition reports from now on."""
    found: Reports = {}

    def keep(_: int, minute: int, models: Mapping[str, Report]) -> None:
        found[minute] = {name: report.encoded for name, report in models.items()}

    assert engine.apart is not None
    engine.apart.report = keep
    return found


def minutes_of(small: Small, log: Log, parts: Parts) -> dict[int, Minute]:
    """Return the minutes of the log's records, and those whose populations have changed, ascending."""
    modes: dict[int, int] = {}
    for record in log:
        modes[record.minute] = min(record.mode, modes.get(record.minute, LIVE))
    imported = max((record.minute for record in log if record.mode == IMPORT), default=-1)
    # a minute that imported and live records share is an imported one (T5)
    lived = min((record.minute for record in log if record.minute > imported), default=imported)
    reports = reports_of(small, parts)
    held: list[Mapping[str, bytes]] = [{} for _ in parts]
    found: dict[int, Minute] = {}
    for minute in sorted({*modes, *(m for one in reports for m in one)}):
        before, held = held, [one.get(minute, last) for one, last in zip(reports, held, strict=True)]
        models = [model for model in small.shop.rfm if model.method != "fixed"]
        changed = [m for m in models if [one.get(m.name) for one in held] != [o.get(m.name) for o in before]]
        if changed or minute in modes:
            history = imported < minute < lived
            mode = modes.get(minute, IMPORT if minute <= imported or history else LIVE)
            bodies = (_body(minute, some, held, history) for some in (models, changed))
            found[minute] = Minute(mode, *bodies)
    return found


def _body(
    minute: int, models: Sequence[RfmModel], held: Sequence[Mapping[str, bytes]], history: bool
) -> dict[str, Any]:
    numbers = [(m, merged(m, [decoded(one[m.name]) for one in held if one])) for m in models]
    return said(minute, numbers, history)


def ticked(log: Log, partitions: int) -> Parts:
    """Return each partition's records, in which no minute of the log is left out."""
    parts = split(log, partitions)
    for part in parts:
        for record in log:
            if all(other.minute != record.minute for other in part):
                mode = min(other.mode for other in log if other.minute == record.minute)
                part.append(Record(TICK, record.minute, mode))
        part.sort(key=lambda record: record.minute)
    return parts


def with_cuts(parts: Parts, minutes: Mapping[int, Minute], always: bool) -> Parts:
    """Let a cuts record open each minute in every partition: C = T. always: also of what has not changed."""
    found: Parts = []
    for part in parts:
        openers = [
            Record(CUTS, minute, at.mode, said=at.whole if always else at.changed)
            if always or at.changed["models"]
            else Record(TICK, minute, at.mode)
            for minute, at in minutes.items()
        ]
        found.append(sorted([*openers, *part], key=lambda record: record.minute))
    return found


def disturbed(parts: Parts, minutes: Mapping[int, Minute], random: Any) -> Parts:
    """Let the cuts records come as they like in each partition: late, twice, never, first or amid the records
    of a minute; but one comes."""
    last = max(minutes)
    found: Parts = []
    for part in parts:
        keyed = [((record.minute, 1.0 + place), record) for place, record in enumerate(part)]
        for minute, at in minutes.items():
            for _ in range(random.choice([1, 1, 1, 0, 2])):
                when = min(last, minute + random.choice([0, 0, 1, 2, 7]))
                place = random.choice([0.0, random.uniform(0, len(part) + 2)])
                body = random.choice([at.whole, at.changed])
                keyed.append(((when, place), _landing(minutes, when, body)))
        found.append([record for _, record in sorted(keyed, key=lambda one: one[0])])
    if not any(record.kind == CUTS for part in found for record in part):
        found[0].append(_landing(minutes, last, minutes[last].whole))
    return found


def _landing(minutes: Mapping[int, Minute], when: int, body: dict[str, Any]) -> Record:
    """Return a cuts record in the mode of the minute at which it comes."""
    by_import = (m for m, at in minutes.items() if at.mode == IMPORT and "history" not in at.whole)
    imported = max(by_import, default=-1)
    lived = min((m for m, at in minutes.items() if at.mode == LIVE), default=imported + 1)
    history = {"history": True} if imported < when < lived else {}
    plain = {"minute": body["minute"], "models": body["models"]}
    return Record(CUTS, when, LIVE if when >= lived else IMPORT, said=plain | history)
