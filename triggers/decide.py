"""From an occasion to a decision: if, for, waiting, falling due (semantics D1, D2)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import facts, timers
from rules.evaluate import is_true
from triggers import occasions
from triggers.guards import NO_AGE, conclude

CAUSE = 7  # source, key high, key low, epoch, position, offset, minute
BROKEN = -1


@step
def take_occasions(st: int, c: int) -> None:
    """Act upon what was noted for customer c, in the order noted."""
    n = s.occasions_used(st)
    s.set_occasions_used(st, 0)
    for k in range(n):
        occasion(st, s.occasion_trigger(st, k), c, -1)


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
    n = conclude(st, trigger, c, age_from)
    row = i if i >= 0 else s.row_now(st) - 1
    if row >= 0:  # the row at whose step a tag was entered or left is the cause, as it is of its own event
        cause_of_row(st, n, row)
    else:
        cause_of_minute(st, n, s.clock(st))


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
    """A wait that runs out now ends without a decision."""
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
    age = facts.value(st, fact, 7)  # at the occasion: the length of `for` is no age (D4)
    n = conclude(st, trigger, c, NO_AGE if age == NO_AGE else s.clock(st) - age)
    cause_of_minute(st, n, facts.value(st, fact, 6))
    if facts.value(st, fact, 1) >= 0:
        for j in range(CAUSE - 1):
            s.set_d_cause(st, n * CAUSE + j, facts.value(st, fact, 1 + j))
        s.set_d_cause(st, n * CAUSE + 6, s.clock(st))
    facts.remove(st, fact)


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
