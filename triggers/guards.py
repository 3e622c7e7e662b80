"""Reasons not to act, in fixed order (semantics D5): late, consent, cool-down.

An absence is refused before all of them while the source that it waits for is stale (`triggers.freshness`).
"""

from __future__ import annotations

from engine import state as s
from engine.effects import ACT, REFUSED, emit_decision
from engine.jit import step
from profiles import facts

NONE, LATE, CONSENT, COOL_DOWN, SOURCE_STALE = range(5)
NAMES = ("", "late", "consent", "cool_down", "source_stale")
NO_AGE = -(1 << 40)  # a cause that cannot be late


@step
def conclude(st: int, trigger: int, c: int, cause_minute: int) -> int:
    """Decide for one customer; write the decision down and return its number (its cause is the caller's)."""
    age = s.clock(st) - cause_minute
    if cause_minute != NO_AGE and age > s.trigger_max_age(st, trigger):
        return emit_decision(st, c, trigger, REFUSED, LATE, age, s.trigger_max_age(st, trigger))
    consent = s.trigger_consent(st, trigger)
    if consent and not is_granted(st, c, consent):
        return emit_decision(st, c, trigger, REFUSED, CONSENT, 0, 0)
    cool_down = s.trigger_cool_down(st, trigger)
    if cool_down:
        fact = facts.find(st, c, facts.ACTED, trigger)
        if fact >= 0 and s.clock(st) < facts.value(st, fact, 0) + cool_down:
            return emit_decision(st, c, trigger, REFUSED, COOL_DOWN, facts.value(st, fact, 0), cool_down)
        facts.set_value(st, facts.find_or_add(st, c, facts.ACTED, trigger), 0, s.clock(st))
    return emit_decision(st, c, trigger, ACT, NONE, 0, 0)


@step
def is_granted(st: int, c: int, consent: int) -> bool:
    """Whether a consent is given at the clock; missing means no."""
    fact = facts.find(st, c, facts.CONSENT, consent)
    if fact < 0 or facts.value(st, fact, 0) == 0:
        return False
    until = facts.value(st, fact, 1)
    return until == 0 or s.clock(st) < until


@step
def set_consent(st: int, c: int, consent: int, granted: int, until: int) -> None:
    """Take over a consent record."""
    fact = facts.find_or_add(st, c, facts.CONSENT, consent)
    facts.set_value(st, fact, 0, granted)
    facts.set_value(st, fact, 1, until)
