"""What a schedule trigger would decide if it fell due at the next minute: the engine itself decides."""

from __future__ import annotations

from collections import Counter

import numpy as np

from engine.change import go_on
from engine.engine import Engine
from engine.outcome import OUTCOMES
from engine.partition import Partition, RawEffects
from engine.state import FACT_VALUES
from profiles import facts
from triggers.guards import NAMES as GUARDS


def decided_next(engine: Engine, name: str) -> Counter[tuple[str, str]]:
    """Return how many decisions a schedule trigger would make at the minute behind the clock, live, if
    nothing came until then: by outcome and guard ("" where there is none), of each customer whose ``if`` is
    true.

    It has decided them, then: the engine is of no use for anything else any more. Raises ValueError where the
    trigger is none of the plan's.
    """
    number, minute = engine.plan.trigger.names.index(name), engine.clock + 1
    found: Counter[tuple[str, str]] = Counter()
    if not any(partition.customers for partition in engine.partitions):
        return found

    def count(_: int, raw: RawEffects) -> None:
        decisions = raw.decisions
        mine = (decisions["trigger"] == number) & (decisions["minute"] == minute)
        pairs = np.stack([decisions["outcome"][mine], decisions["guard"][mine]]).astype(np.int64)
        for (outcome, guard), many in zip(*_counted(pairs), strict=True):
            found[(OUTCOMES[outcome], GUARDS[guard])] += many

    shadow = engine.plan.trigger.declared[name].status == "shadow"
    for partition in engine.partitions:
        _let_act(partition, number, shadow)
    if engine.apart is not None:
        engine.apart.report = None
    engine.sink = count
    engine.let_fall_due(number, minute)
    engine.advance(minute)
    return found


def _counted(pairs: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> tuple[list[list[int]], list[int]]:
    kinds, many = np.unique(pairs, axis=1, return_counts=True)
    return kinds.T.tolist(), many.tolist()


def _let_act(partition: Partition, number: int, shadow: bool) -> None:
    """Let a trigger be live: what it remembers of its shadow is over, as when its status changes (D5)."""
    memory = partition.memory
    memory["trigger_paused"][number] = memory["trigger_shadow"][number] = 0
    if not shadow:
        return
    for place in np.flatnonzero(memory["fact_kind"] == facts.ACTED * facts.KIND + number).tolist():
        values = memory["fact_value"][place * FACT_VALUES : (place + 1) * FACT_VALUES]
        if not go_on(values, was_in_shadow=True, is_in_shadow=False):
            memory["fact_customer"][place] = -1  # nobody's; its place stays taken, so that others are found
