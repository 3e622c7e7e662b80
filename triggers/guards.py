"""Reasons not to act, in fixed order (semantics D5); the first that refuses is named, with its figures.

An absence is refused before all of them while the source that it waits for is stale (`triggers.freshness`).
"""

from __future__ import annotations

from engine import guard_state as g
from engine import state as s
from engine.effects import ACT, HELD, REFUSED, emit_decision
from engine.jit import step
from profiles import facts
from triggers.caps import NOBODY, count_of, full_cap, take_slots
from triggers.hold import is_holding, open_hold
from triggers.hold_out import is_held_out
from triggers.quiet import quiet_end

(NONE, LATE, CONSENT, COOL_DOWN, SOURCE_STALE, KILL_SWITCH, CONDITION, HOLD_OUT, QUIET_HOURS, ONCE,
 CAP) = range(11)  # fmt: skip
NAMES = (
    "", "late", "consent", "cool_down", "source_stale", "kill_switch", "if", "hold_out", "quiet_hours",
    "once", "cap",
)  # fmt: skip
NO_AGE = -(1 << 40)  # a cause that cannot be late
EVERYTHING, CHANNEL, TRIGGER = range(3)  # what a switch stops


@step
def conclude(st: int, trigger: int, c: int, cause_minute: int, holds: bool) -> int:
    """Decide for one customer; write the decision down and return its number.

    holds: whether `if` is true, asked again at the end of a hold. The caller notes the decision's cause and
    then says so (`complete`).
    """
    now = s.clock(st)
    age = now - cause_minute
    if cause_minute != NO_AGE and age > s.trigger_max_age(st, trigger):
        return emit_decision(st, c, trigger, REFUSED, LATE, age, s.trigger_max_age(st, trigger))
    consent = s.trigger_consent(st, trigger)
    if consent and not is_granted(st, c, consent):
        return emit_decision(st, c, trigger, REFUSED, CONSENT, 0, 0)
    stopped = stopped_by(st, trigger)
    if stopped >= 0:
        return emit_decision(st, c, trigger, REFUSED, KILL_SWITCH, stopped, 0)
    if not holds:
        return emit_decision(st, c, trigger, REFUSED, CONDITION, 0, 0)
    if is_held_out(st, c, g.shop_hold_out(st, trigger), g.shop_salt(st, 0)):
        return emit_decision(st, c, trigger, REFUSED, HOLD_OUT, g.shop_hold_out(st, trigger), 0)
    if is_held_out(st, c, g.trigger_hold_out(st, trigger), g.trigger_salt(st, trigger)):
        return emit_decision(st, c, trigger, REFUSED, HOLD_OUT, g.trigger_hold_out(st, trigger), 1)
    end = quiet_end(st, trigger, c)
    if end:
        hold = g.quiet_hold(st, trigger) and not is_holding(st, trigger, c)
        return emit_decision(st, c, trigger, HELD if hold else REFUSED, QUIET_HOURS, end, 0)
    return refused_by_past(st, trigger, c)


@step
def refused_by_past(st: int, trigger: int, c: int) -> int:
    """Ask the guards that rest on earlier decisions: cool-down, once and caps; decide, return the number."""
    cool_down = s.trigger_cool_down(st, trigger)
    fact = facts.find(st, c, facts.ACTED, trigger) if cool_down or g.trigger_once(st, trigger) else -1
    if fact >= 0:
        acted_at = facts.value(st, fact, 0)
        if cool_down and s.clock(st) < acted_at + cool_down:
            return emit_decision(st, c, trigger, REFUSED, COOL_DOWN, acted_at, cool_down)
        if g.trigger_once(st, trigger):
            return emit_decision(st, c, trigger, REFUSED, ONCE, acted_at, 0)
    cap = full_cap(st, trigger, c)
    if cap != NOBODY:
        return emit_decision(st, c, trigger, REFUSED, CAP, count_of(st, cap, c), cap)
    if cool_down or g.trigger_once(st, trigger):
        facts.set_value(st, facts.find_or_add(st, c, facts.ACTED, trigger), 0, s.clock(st))
    return emit_decision(st, c, trigger, ACT, NONE, 0, 0)


@step
def complete(st: int, n: int, cause_minute: int) -> None:
    """Decision n's cause is noted: take its slots, or hold it. cause_minute: as given to `conclude`."""
    if s.d_outcome(st, n) == ACT:
        if g.caps(st) and not g.trigger_shadow(st, s.d_trigger(st, n)):
            take_slots(st, s.d_customer(st, n), n)
    elif s.d_outcome(st, n) == HELD:
        age = NO_AGE if cause_minute == NO_AGE else s.clock(st) - cause_minute
        open_hold(st, n, s.d_figure(st, 2 * n), age)


@step
def stopped_by(st: int, trigger: int) -> int:
    """Return what stops a trigger, EVERYTHING, CHANNEL or TRIGGER; -1 where nothing does."""
    if g.switch_off(st, 0):
        return EVERYTHING
    if g.switch_off(st, g.trigger_channel(st, trigger)):
        return CHANNEL
    if g.switch_off(st, g.trigger_switch(st, trigger)):
        return TRIGGER
    return -1


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
