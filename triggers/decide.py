"""From an occasion to a decision: if, for, waiting, falling due (semantics D1, D2)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import facts, timers
from rules.evaluate import is_true
from triggers import occasions
from triggers.guards import NO_AGE, complete, conclude

CAUSE = s.CAUSES  # source, key high, key low, epoch, position, offset, minute
BROKEN = -1


@step
def take_occasions(st: int, c: int) -> None:
    """Act upon what was noted for customer c, in the order of the triggers: priority, then name (D5)."""
    n = s.occasions_used(st)
    s.set_occasions_used(st, 0)
    for done in range(n):
        first = done
        for k in range(done + 1, n):
            if s.occasion_trigger(st, k) < s.occasion_trigger(st, first):
                first = k
        trigger, row = s.occasion_trigger(st, first), s.occasion_row(st, first)
        s.set_occasion_trigger(st, first, s.occasion_trigger(st, done))
        s.set_occasion_row(st, first, s.occasion_row(st, done))
        occasion(st, trigger, c, row)


@inlined
def condition_holds(st: int, trigger: int, c: int, i: int) -> bool:
    """Whether the trigger's ``if`` is true (there may be none)."""
    program = s.trigger_condition(st, trigger)
    return program < 0 or is_true(st, program, c, i)


@step
def occasion(st: int, trigger: int, c: int, i: int) -> None:
    """A trigger's ``when`` has come; i is the batch index of its row, or -1."""
    if not condition_holds(st, trigger, c, i):
        return  # explained when asked, not stored (D2)
    age_from = NO_AGE
    if i >= 0 and s.event_kind(st) == occasions.INSERT:  # when an update happened is not known here
        age_from = s.b_event_us(st, i) // 60_000_000
    wait = s.trigger_for(st, trigger)
    if wait:
        open_wait(st, trigger, c, i, wait, s.clock(st) - age_from if age_from != NO_AGE else NO_AGE)
        return
    n = conclude(st, trigger, c, age_from, True)
    row = i if i >= 0 else s.row_now(st) - 1
    if row >= 0:  # the row at whose step a tag was entered or left is the cause, as it is of its own event
        cause_of_row(st, n, row)
    else:
        cause_of_minute(st, n, s.clock(st))
    complete(st, n, age_from)


@step
def open_wait(st: int, trigger: int, c: int, i: int, wait: int, age: int) -> None:
    """Begin to wait, unless this trigger already waits for this customer."""
    if facts.find(st, c, facts.WAITING, trigger) >= 0:
        return
    fact = facts.find_or_add(st, c, facts.WAITING, trigger)
    facts.set_value(st, fact, 0, s.clock(st))
    facts.set_value(st, fact, 1, -1)
    facts.set_value(st, fact, 6, s.clock(st))
    facts.set_value(st, fact, 7, age)
    if i >= 0:
        facts.set_value(st, fact, 1, s.b_source(st, i))
        facts.set_value(st, fact, 2, s.b_key_high(st, i))
        facts.set_value(st, fact, 3, s.b_key_low(st, i))
        facts.set_value(st, fact, 4, s.b_epoch(st, i))
        facts.set_value(st, fact, 5, s.b_position(st, i))
        facts.set_value(st, fact, 6, s.b_offset(st, i))
    timers.start(st, s.clock(st) + wait, timers.FOR_ENDS, trigger, c, 0, 0)


@step
def look_at_waiting(st: int, c: int) -> None:
    """Look at a judged customer's waits: a false ``if`` sets one back, a turned membership ends it."""
    for k in range(s.waiting_triggers(st)):
        trigger = s.waiting_trigger(st, k)
        fact = facts.find(st, c, facts.WAITING, trigger)
        if fact < 0:
            continue
        if not occasions.still_holds(st, trigger, c):
            facts.remove(st, fact)
        elif not condition_holds(st, trigger, c, -1):
            facts.set_value(st, fact, 0, BROKEN)
        elif facts.value(st, fact, 0) == BROKEN:
            facts.set_value(st, fact, 0, s.clock(st))
            timers.start(st, s.clock(st) + s.trigger_for(st, trigger), timers.FOR_ENDS, trigger, c, 0, 0)


@step
def give_up(st: int, trigger: int, c: int) -> None:
    """A wait or a hold that runs out now ends without a decision."""
    held = facts.find(st, c, facts.HELD, trigger)
    if held >= 0 and facts.value(st, held, 0) == s.clock(st):
        facts.remove(st, held)
    fact = facts.find(st, c, facts.WAITING, trigger)
    if fact >= 0 and facts.value(st, fact, 0) != BROKEN:
        if facts.value(st, fact, 0) + s.trigger_for(st, trigger) == s.clock(st):
            facts.remove(st, fact)


@step
def end_wait(st: int, trigger: int, c: int) -> None:
    """A wait may have run out (T3 (7)): decide, if the condition has held since then."""
    fact = facts.find(st, c, facts.WAITING, trigger)
    if fact < 0 or facts.value(st, fact, 0) == BROKEN:
        return
    if facts.value(st, fact, 0) + s.trigger_for(st, trigger) != s.clock(st):
        return  # a timer of an earlier beginning
    decide_kept(st, trigger, c, fact, True)


@step
def end_hold(st: int, trigger: int, c: int) -> None:
    """Quiet hours may have ended for a held decision (T3 (7)): ask `if` and all guards anew (D5)."""
    fact = facts.find(st, c, facts.HELD, trigger)
    if fact >= 0 and facts.value(st, fact, 0) == s.clock(st):  # else the timer of one that ended otherwise
        holds = occasions.still_holds(st, trigger, c) and condition_holds(st, trigger, c, -1)
        decide_kept(st, trigger, c, fact, holds)


@step
def decide_kept(st: int, trigger: int, c: int, fact: int, holds: bool) -> None:
    """Decide by what a fact has kept, and forget it: the cause, and the age that it had at the occasion."""
    cause = (
        facts.value(st, fact, 1), facts.value(st, fact, 2), facts.value(st, fact, 3),
        facts.value(st, fact, 4), facts.value(st, fact, 5), facts.value(st, fact, 6),
    )  # fmt: skip
    age = facts.value(st, fact, 7)  # the length of `for`, or of a hold, is no age (D4, D5)
    since = NO_AGE if age == NO_AGE else s.clock(st) - age
    facts.remove(st, fact)
    n = conclude(st, trigger, c, since, holds)
    if cause[0] < 0:
        cause_of_minute(st, n, cause[5])
    else:
        for j in range(CAUSE - 1):
            s.set_d_cause(st, n * CAUSE + j, cause[j])
        s.set_d_cause(st, n * CAUSE + 6, s.clock(st))
    complete(st, n, since)


@step
def cause_of_row(st: int, n: int, i: int) -> None:
    """Note the row at batch index i as decision n's cause."""
    s.set_d_cause(st, n * CAUSE, s.b_source(st, i))
    s.set_d_cause(st, n * CAUSE + 1, s.b_key_high(st, i))
    s.set_d_cause(st, n * CAUSE + 2, s.b_key_low(st, i))
    s.set_d_cause(st, n * CAUSE + 3, s.b_epoch(st, i))
    s.set_d_cause(st, n * CAUSE + 4, s.b_position(st, i))
    s.set_d_cause(st, n * CAUSE + 5, s.b_offset(st, i))
    s.set_d_cause(st, n * CAUSE + 6, s.clock(st))


@step
def cause_of_minute(st: int, n: int, minute: int) -> None:
    """Note a minute as decision n's cause."""
    s.set_d_cause(st, n * CAUSE, -1)
    for j in range(1, CAUSE - 1):
        s.set_d_cause(st, n * CAUSE + j, 0)
    s.set_d_cause(st, n * CAUSE + 6, minute)
