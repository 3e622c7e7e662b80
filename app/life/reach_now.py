"""How many a broadcast would reach now, worked out beside an owner's work: nothing waits, nothing is kept."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from app.forked import Forked
from app.life.reach import SECONDS, AnsweredReach, AskedReach, Reach, read_reach
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


def begin_answer(owner: Owner, epoch: int, about: bytes) -> Callable[[], bytes]:
    """Begin to answer a question to the owner of a partition, an `AskedReach` as JSON; return what waits for
    the answer, an `AnsweredReach` as JSON, in any thread. It raises `app.forked.Failed`."""
    asked = msgspec.json.decode(about, type=AskedReach)
    if settings_hash(owner.version) != asked.settings:
        return lambda: msgspec.json.encode(AnsweredReach(epoch, None))
    begun = begin_reach(owner, asked.trigger)
    return lambda: msgspec.json.encode(AnsweredReach(epoch, read_reach(begun.result(SECONDS))))
