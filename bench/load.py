"""An engine with a shop's history in it, ready to be measured."""

from __future__ import annotations

from app.shop import Shop
from bench.figures import cpu
from bench.workload import CATEGORIES, STATUSES, Ints, Workload
from engine.engine import LIVE, Engine
from engine.partition import RawEffects
from engine.plan import Plan, build
from triggers.schedule import last_due

ROWS_KEPT = 28  # a customer
CLOCK = 29_000_000  # the minute at which everything begins; in 2025


class Loaded:
    """An engine with ``customers`` and 28 rows for each of them; live, cut points taken."""

    def __init__(
        self, shop: Shop, customers: int, rows_kept: int = ROWS_KEPT, ids: Ints | None = None
    ) -> None:
        self.plan = build(shop)
        self.effects = 0
        self.engine = Engine(self.plan, 1, self._count, _next_due(self.plan))
        partition = self.engine.partitions[0]
        texts = [*STATUSES, *CATEGORIES]
        codes = dict(zip(texts, partition.encode_texts(texts).tolist(), strict=True))
        rows = customers * rows_kept
        partition.memory.reserve(
            customer=customers, row=rows + rows // 16, entry=rows + rows // 16, list=2 * rows
        )
        self.workload = Workload(self.plan, customers, codes, CLOCK, ids=ids)
        for batch in self.workload.history(rows):
            self.engine.feed(0, batch, self.engine.steps[0])
            self.engine.run()
        self.advance()

    def advance(self) -> None:
        """Open the next minute, live."""
        self.engine.advance(self.engine.clock + 1, LIVE)
        self.workload.clock = self.engine.clock

    def pass_over(self, size: int, count: int) -> float:
        """Apply ``count`` new changes in batches of ``size``; return CPU microseconds a change."""
        batch = self.workload.changes(count)
        pieces = [batch.slice(first, min(first + size, count)) for first in range(0, count, size)]
        engine = self.engine

        def apply() -> None:
            for piece in pieces:
                engine.feed(0, piece, engine.steps[0])
                engine.run()

        taken = cpu(apply)
        self.advance()
        return taken / count * 1e6

    def _count(self, _partition: int, effects: RawEffects) -> None:
        self.effects += len(effects.transitions["step"]) + len(effects.decisions["step"])


def _next_due(plan: Plan):  # type: ignore[no-untyped-def]  # the shape is engine.engine.NextDue
    def next_due(trigger: int, clock: int, last: int) -> int:
        schedule = plan.trigger.declared[plan.trigger.names[trigger]].when.schedule
        assert schedule is not None
        return last_due(schedule, plan.zone, clock, last)

    return next_due
