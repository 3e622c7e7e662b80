"""The stream of `bench.workload` for topics of several partitions: changes at the present time, as bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from bench.messages import Messages, debezium_shop, member_ids
from bench.shops import small_shop
from bench.workload import CATEGORIES, STATUSES, Ints, Workload
from engine.batch import Batch
from engine.plan import build

TEXTS = [*STATUSES, *CATEGORIES]
PIECE = 2_000  # changes drawn together; updates reach the rows of those before


class Row(NamedTuple):
    """One change message. customer: its number, from which its partition of the source's topic comes, so that
    a peer that keeps a table by customer finds it partitioned as it needs it."""

    source: str
    customer: int
    key: bytes
    value: bytes


class Rows:
    """Draws messages, positions ascending. apart: customers more, numbered from ``customers`` on, without a
    past."""

    def __init__(self, customers: int, apart: int = 0) -> None:
        self.customers = customers
        plan = build(debezium_shop(small_shop()))
        codes = {text: code for code, text in enumerate(TEXTS)}
        minute = int(time.time() // 60)
        self._workload = Workload(plan, customers, codes, minute, ids=member_ids(customers + apart))
        self._writer = Messages(plan, TEXTS, customers + apart, remember=True)

    def past(self, rows: int) -> Iterator[Row]:
        """Yield a view of every customer, three days old, and ``rows`` inserts of the past."""
        plan, who = self._workload.plan, np.arange(self.customers)
        minutes = np.full(self.customers, self._workload.clock - 3 * 1440)
        views = np.full(self.customers, plan.metric.source_number["views"])
        yield from self._written(self._workload.inserts(views, who, minutes))
        for batch in self._workload.history(rows):
            yield from self._written(batch)

    def changes(self, count: int) -> Iterator[Row]:
        """Yield live changes; a past of half as many rows must have been drawn before."""
        self._workload.clock = int(time.time() // 60)
        piece = max(1, min(PIECE, count // 20))
        for first in range(0, count, piece):
            batch = self._workload.changes(min(piece, count - first))
            self._workload.remember(batch)
            yield from self._written(batch)

    def orders(self, who: Ints) -> Iterator[Row]:
        """Yield a paid order of each of these customers, now. who: int64."""
        workload = self._workload
        workload.clock = int(time.time() // 60)
        source, columns = workload.plan.projection["orders"]
        batch = workload.inserts(np.full(len(who), source), who, np.full(len(who), workload.clock))
        batch.values[:, columns.index("status")] = workload.codes["paid"]
        yield from self._written(batch)

    def _written(self, batch: Batch) -> Iterator[Row]:
        names = self._workload.plan.metric.sources
        columns = (batch.source.tolist(), batch.arg_a.tolist(), batch.key_low.tolist())
        for source, who, key, message in zip(*columns, self._writer.of(batch), strict=True):
            yield Row(names[source], who, msgspec.json.encode({"id": key}), message)
