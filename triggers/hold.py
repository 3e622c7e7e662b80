"""A decision that waits for the end of quiet hours; its place is the partition's state (semantics D5)."""

from __future__ import annotations

from engine import state as s
from engine.jit import step
from profiles import facts, timers


@step
def open_hold(st: int, n: int, end: int, age: int) -> None:
    """Let decision n, its cause noted, be decided again at a minute. age: the cause's, now, or NO_AGE's."""
    trigger, c = s.d_trigger(st, n), s.d_customer(st, n)
    fact = facts.find_or_add(st, c, facts.HELD, trigger)
    source = s.d_cause(st, n * s.CAUSES)
    facts.set_value(st, fact, 0, end)
    facts.set_value(st, fact, 1, source)
    for j in range(1, s.CAUSES - 1):
        facts.set_value(st, fact, 1 + j, s.d_cause(st, n * s.CAUSES + j))
    if source < 0:
        facts.set_value(st, fact, 6, s.d_cause(st, n * s.CAUSES + 6))
    facts.set_value(st, fact, 7, age)
    timers.start(st, end, timers.HOLD_ENDS, trigger, c, 0, 0)


@step
def is_holding(st: int, trigger: int, c: int) -> bool:
    """Whether a decision of this trigger for this customer is held."""
    return facts.find(st, c, facts.HELD, trigger) >= 0


@step
def drop_hold(st: int, trigger: int, c: int) -> None:
    """End a hold without a further decision."""
    fact = facts.find(st, c, facts.HELD, trigger)
    if fact >= 0:
        facts.remove(st, fact)
