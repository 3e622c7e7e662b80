"""How many a broadcast would reach now, worked out beside an owner's work: nothing waits, nothing is kept."""

from __future__ import annotations

import msgspec

from app.forked import Forked
from app.life.reach import AskedReach, Reach
from app.owner import Owner
from engine.plan import settings_hash
from engine.supposed import decided_next


def begin_reach(owner: Owner, name: str) -> Forked:
    """Begin to count, in the thread of an owner's engine: the child's answer is `read_reach`'s."""
    steps = list(owner.engine.steps)

    def work() -> bytes:
        minute, found = owner.engine.clock + 1, decided_next(owner.engine, name)
        outcomes, guards = dict[str, int](), dict[str, int]()
        for (outcome, guard), many in sorted(found.items()):
            outcomes[outcome] = outcomes.get(outcome, 0) + many
            if guard:
                guards[guard] = guards.get(guard, 0) + many
        return msgspec.json.encode(Reach(minute, steps, outcomes, guards))

    return Forked(work)


def is_asked_of(owner: Owner, asked: AskedReach) -> bool:
    """Whether an owner goes by the settings by which it is asked."""
    return settings_hash(owner.version) == asked.settings
