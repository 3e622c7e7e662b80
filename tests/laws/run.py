"""Running a world through the engine, and asking what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from app.inspect import held_at
from app.replay import new_engine
from engine.engine import Engine
from engine.outcome import Decision, Transition, decisions, transitions
from engine.partition import HISTORY, LIVE, Partition, RawEffects
from engine.readout import customer_ids
from tests.laws.shops import Small
from tests.laws.world import Log, batch_of, split


@dataclass
class Outcome:
    """What an engine has emitted: transitions and decisions, in order."""

    transitions: list[Transition]
    decisions: list[Decision]


class Run:
    """One engine and one log on the way through it."""

    def __init__(self, small: Small, partitions: int = 1) -> None:
        self.small = small
        self.outcome = Outcome([], [])
        self.engine: Engine = new_engine(small.shop, small.plan, partitions, self._take)

    @property
    def digest(self) -> list[str]:
        """The digest of everything each partition has emitted."""
        return [digest.hexdigest() for digest in self.engine.digests]

    def _take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        self.outcome.transitions += transitions(partition, number, raw)
        self.outcome.decisions += decisions(partition, number, raw)

    def feed(self, log: Log, sizes: Iterable[int] = ()) -> Run:
        """Queue a log; ``sizes`` of the batches in turn, the last again and again (default: all at once)."""
        for number, records in enumerate(split(log, len(self.engine.partitions))):
            for part in cut(records, list(sizes)):
                batch = batch_of(self.small, self.engine.partitions[number], part)
                self.engine.feed(number, batch, self.engine.steps[number])
        return self

    def to(self, minute: int | None = None) -> Run:
        """Apply what is queued up to the end of a minute, and stand there."""
        self.engine.run(minute)
        if minute is not None and self.engine.clock < minute:
            mode = LIVE if self.engine.partitions[0].mode == LIVE else HISTORY
            self.engine.advance(minute, mode)
        return self

    def held(self) -> Mapping[str, pd.DataFrame]:
        """Everything the engine holds, in the shape of the recompute."""
        return held_at(self.engine, self.small.pieces)

    def since(self) -> dict[tuple[str, str], int]:
        """Return (customer, tag) -> minute since which the customer is a member."""
        found: dict[tuple[str, str], int] = {}
        names = self.small.plan.tag.names
        for partition in self.engine.partitions:
            since = partition.per_customer("since")
            for c, customer in enumerate(customer_ids(partition)):
                found |= {(customer, names[t]): int(since[c, t]) for t in np.flatnonzero(since[c]).tolist()}
        return found


def cut(records: Sequence[Any], sizes: list[int]) -> list[Sequence[Any]]:
    """Cut records into parts of these sizes in turn."""
    parts, at = [], 0
    while at < len(records):
        size = (sizes.pop(0) if len(sizes) > 1 else sizes[0]) if sizes else len(records)
        parts.append(records[at : at + size])
        at += size
    return parts


def run(small: Small, log: Log, partitions: int = 1, sizes: Sequence[int] = ()) -> Run:
    """Run a whole log."""
    return Run(small, partitions).feed(log, sizes).to()


def unnumbered(outcome: Outcome) -> tuple[list[Any], list[Any]]:
    """Return transitions and decisions by customer, without what numbers steps and partitions."""
    moved = [replace(one, partition=0, step=0, seq=0) for one in outcome.transitions]
    made = [replace(one, partition=0, step=0, seq=0) for one in outcome.decisions]
    by_customer: Callable[[Any], str] = lambda one: one.customer  # noqa: E731 - a key for two sorts
    return sorted(moved, key=by_customer), sorted(made, key=by_customer)


def same_frames(a: Mapping[str, pd.DataFrame], b: Mapping[str, pd.DataFrame]) -> None:
    """Assert that two readings are equal, whatever the order of customers."""
    assert a.keys() == b.keys()
    for name, frame in a.items():
        pd.testing.assert_frame_equal(frame.sort_index(), b[name].sort_index(), check_dtype=False, obj=name)
