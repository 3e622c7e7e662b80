"""Seeded rows and changes as column batches: findings' stream.

Customers by Zipf 1.0 (of 100,000 one makes 8 % of the events), half of the changes views, half of the others
updates or deletes, 5 % late by up to three days.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.batch import Batch
from engine.plan import Plan

Ints = NDArray[np.int64]
DAY = 1440
MINUTE_US = 60_000_000
STEP = 10  # rows lie on every tenth minute only, so that the minutes between are silent
KEPT_DAYS = {"orders": 365, "refunds": 365, "tickets": 90, "views": 90}  # the longest window of each source
SHARES = {"orders": 0.35, "refunds": 0.08, "tickets": 0.07, "views": 0.5}
STATUSES = ("paid", "done", "cancelled")
CATEGORIES = tuple(f"c{k:02}" for k in range(12))
UPSERT, INSERT, UPDATE, DELETE = range(4)
WHOLE_KEY = np.int64(-(2**63))  # the high half of a whole-number key
LATE = 0.05


class Workload:
    """Batches of one partition under a plan. codes: texts to the partition's codes; ids: of the customers,
    int64, shape (customers, 2), drawn when absent.
    """

    def __init__(
        self, plan: Plan, customers: int, codes: dict[str, int], clock: int, seed: int = 7,
        ids: Ints | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.customers = customers
        self.codes = codes
        self.clock = self.first_clock = clock
        self.random = np.random.default_rng(seed)
        weights = 1.0 / np.arange(1, customers + 1)
        self._zipf = np.cumsum(weights / weights.sum())
        drawn = self.random.integers(-(2**62), 2**62, (customers, 2))
        self._ids = drawn if ids is None else ids
        self._next = 0
        self._offset = 0
        self._known = np.zeros((4, 0), dtype=np.int64)
        self._drawn = 0

    def history(self, rows: int, piece: int = 1_000_000) -> Iterator[Batch]:
        """Yield ``rows`` inserts of the past, in the order of their event minutes, in import mode."""
        pieces = -(-rows // piece)
        for number in range(pieces):
            size = min(piece, rows - number * piece)
            source = self._sources(size)
            span = np.array([KEPT_DAYS[name] * DAY for name in self.plan.metric.sources])[source] - 4 * STEP
            part = np.sort(self.random.random(size)) / pieces + number / pieces
            minute = (self.clock - span + (span * part).astype(np.int64)) // STEP * STEP
            batch = self.inserts(source, self._who(size), minute)
            batch.mode[:] = 0
            self._remember(batch, minute > self.clock - 60 * DAY)
            yield batch

    def changes(self, count: int) -> Batch:
        """Return live changes at the clock."""
        views = self.plan.metric.source_number["views"]
        kind = self.random.random(count)
        source = np.where(kind < 0.5, views, self._sources(count, without="views"))
        late = self.random.random(count) < LATE
        minute = self.clock - np.where(late, self.random.integers(1, 3 * DAY, count), 0)
        batch = self.inserts(source, self._who(count), minute)
        batch.mode[:] = 1
        again = np.flatnonzero(kind >= 0.75)
        known = self._draw(len(again))
        batch.source[again], batch.key_low[again], batch.event_us[again] = known[0], known[1], known[2]
        batch.customer_high[again] = self._ids[known[3], 0]
        batch.customer_low[again] = self._ids[known[3], 1]
        batch.arg_a[again] = known[3]
        batch.op[again] = np.where(self.random.random(len(again)) < 0.25, DELETE, UPDATE)
        batch.values[again] = self._values(known[0])
        return batch

    def remember(self, batch: Batch) -> None:
        """Let later updates and deletes reach the new rows of a batch of changes, too."""
        self._remember(batch, batch.op == INSERT)

    def _sources(self, count: int, without: str = "") -> Ints:
        names = self.plan.metric.sources
        shares = np.array([0.0 if name == without else SHARES[name] for name in names])
        return self.random.choice(len(names), count, p=shares / shares.sum())

    def _who(self, count: int) -> Ints:
        """Return customers by Zipf; spread over the ids, as numbers are given by first appearance."""
        return np.searchsorted(self._zipf, self.random.random(count)).clip(0, self.customers - 1)

    def inserts(self, source: Ints, who: Ints, minute: Ints) -> Batch:
        """Return new rows of these sources and customers, at these event minutes."""
        size = len(source)
        batch = Batch.zeros(size, self.plan.metric.width)
        batch.op[:] = INSERT
        batch.source[:] = source
        batch.minute[:] = self.clock
        batch.customer_high[:], batch.customer_low[:] = self._ids[who, 0], self._ids[who, 1]
        batch.key_high[:] = WHOLE_KEY
        batch.key_low[:] = np.arange(self._next, self._next + size)
        self._next += size
        batch.offset[:] = np.arange(self._offset, self._offset + size)
        self._offset += size
        batch.event_us[:] = minute * MINUTE_US + self.random.integers(0, MINUTE_US, size)
        batch.values[:] = self._values(source)
        batch.arg_a[:] = who  # not read for rows; `_remember` and `bench.messages` look here
        return batch

    def _values(self, source: Ints) -> Ints:
        """Return values of the projected columns, by what their names say."""
        values = np.zeros((len(source), self.plan.metric.width), dtype=np.int64)
        statuses = np.array([self.codes[text] for text in STATUSES])
        categories = np.array([self.codes[text] for text in CATEGORIES])
        for name, (number, columns) in self.plan.projection.items():
            rows = np.flatnonzero(source == number)
            made = {
                "amount": self.random.integers(100, 20_000, len(rows)),
                "status": self.random.choice(statuses, len(rows), p=[0.6, 0.3, 0.1]),
                "category": self.random.choice(categories, len(rows)),
                "score": self.random.integers(1, 6, len(rows)),
                "seconds": self.random.integers(1, 300, len(rows)),
            }
            for place, column in enumerate(columns):
                values[rows, place] = made[column]
            assert name in SHARES
        return values

    def _remember(self, batch: Batch, recent: NDArray[np.bool_]) -> None:
        """Put the rows that updates may reach aside: orders, refunds and tickets of the last days."""
        rows = np.flatnonzero(recent & (batch.source != self.plan.metric.source_number["views"]))
        held = np.stack([batch.source[rows], batch.key_low[rows], batch.event_us[rows], batch.arg_a[rows]])
        self._known = np.concatenate([self._known, held], axis=1)

    def _draw(self, count: int) -> Ints:
        """Return known rows (source, key, event time, customer), at random, each once."""
        if self._drawn == 0:
            self._known = self._known[:, self.random.permutation(self._known.shape[1])]
        self._drawn += count
        assert self._drawn <= self._known.shape[1], "the history is too short for so many updates"
        return self._known[:, self._drawn - count : self._drawn]
