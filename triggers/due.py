"""What the opening of a minute sets off or lets fall due, or the step that ends its waiting (D4): by
(priority, trigger, customer, cause) (semantics T3 (7), D5)."""

from __future__ import annotations

from engine import state as s
from engine.effects import LIVE
from engine.heap import heap_sort
from engine.jit import step
from engine.room import lacks_for_judging
from profiles import timers
from profiles.customers import id_less
from triggers import absence, occasions
from triggers.decide import cause_of_minute, condition_holds, end_hold, end_wait, give_up, occasion
from triggers.freshness import awaited_source, is_stale
from triggers.guards import complete, conclude

# kinds, in the order in which they are decided for one trigger and customer
HOLD, OCCASION, WAIT, ABSENCE, SCHEDULE = range(5)


@step
def put(st: int, trigger: int, c: int, high: int, low: int, since: int, kind: int) -> None:
    """Put a trigger on the list that is due since a minute."""
    n = s.due_used(st)
    s.set_due_used(st, n + 1)
    write(st, n, trigger, c, high, low, since, kind)


@step
def put_occasions(st: int, c: int) -> None:
    """Put what was noted for customer c at the opening of a minute on the list."""
    for k in range(s.occasions_used(st)):
        put(st, s.occasion_trigger(st, k), c, 0, 0, s.clock(st), OCCASION)
    s.set_occasions_used(st, 0)


@step
def put_timer(st: int, i: int) -> None:
    """Put the trigger of the timer at place i on the list."""
    timer, since = s.timer_kind(st, i) // timers.KIND, s.timer_minute(st, i)
    trigger, kind = s.timer_kind(st, i) % timers.KIND, ABSENCE
    if timer == timers.SOURCE_STALE:  # see absence.wait_for_source
        since -= s.trigger_max_age(st, trigger) + 1
    elif timer == timers.FOR_ENDS:
        kind = WAIT
    elif timer == timers.HOLD_ENDS:
        kind = HOLD
    put(st, trigger, s.timer_customer(st, i), s.timer_high(st, i), s.timer_low(st, i), since, kind)


@step
def write(st: int, n: int, trigger: int, c: int, high: int, low: int, since: int, kind: int) -> None:
    """Write a place of the list."""
    s.set_due_trigger(st, n, trigger)
    s.set_due_customer(st, n, c)
    s.set_due_high(st, n, high)
    s.set_due_low(st, n, low)
    s.set_due_since(st, n, since)
    s.set_due_kind(st, n, kind)


@step
def collect_waiting(st: int) -> None:
    """Put the absences on the list that wait for a source which is stale no longer, or whose time is over."""
    kept = 0
    for i in range(s.timers_live(st)):
        trigger = s.timer_kind(st, i) % timers.KIND
        if s.timer_kind(st, i) // timers.KIND == timers.SOURCE_STALE and (
            s.timer_minute(st, i) <= s.clock(st) or not is_stale(st, awaited_source(st, trigger))
        ):
            put_timer(st, i)
        else:
            timers.copy(st, i, kept)
            kept += 1
    timers.keep_first(st, kept)
    arrange(st)


@step
def collect_schedules(st: int) -> None:
    """Put the schedule triggers of this minute on the list, for every customer whose ``if`` is true."""
    for trigger in range(s.triggers(st)):
        if s.trigger_occasion(st, trigger) != occasions.SCHEDULE or s.trigger_next(st, trigger) != s.clock(
            st
        ):
            continue
        s.set_trigger_next(st, trigger, 0)
        if s.mode_now(st) != 1 or s.trigger_paused(st, trigger):
            continue
        for c in range(s.customers_used(st)):
            if not s.customer_gone(st, c) and condition_holds(st, trigger, c, -1):
                put(st, trigger, c, 0, 0, s.clock(st), SCHEDULE)


@step
def arrange(st: int) -> None:
    """Put the list into its order, to be decided from its first on."""
    _sort(st, s.due_used(st))
    s.set_due_cursor(st, 0)


@step
def decide_all(st: int) -> int:
    """Decide what is left on the list; return the domain that is lacking, to go on later, or 0 when done."""
    while s.due_cursor(st) < s.due_used(st):
        lack = lacks_for_judging(st, 1)
        if lack:
            return lack
        decide(st, s.due_cursor(st))
        s.set_due_cursor(st, s.due_cursor(st) + 1)
    s.set_due_used(st, 0)
    return 0


@step
def decide(st: int, n: int) -> None:
    """Decide the n-th due trigger."""
    trigger, c, kind = s.due_trigger(st, n), s.due_customer(st, n), s.due_kind(st, n)
    if s.mode_now(st) != LIVE or s.trigger_paused(st, trigger):  # it decides nothing (T5, D2): it is over
        give_up(st, trigger, c)
    elif kind == HOLD:
        end_hold(st, trigger, c)
    elif kind == OCCASION:
        occasion(st, trigger, c, -1)
    elif kind == SCHEDULE:
        n = conclude(st, trigger, c, s.clock(st), True)
        cause_of_minute(st, n, s.clock(st))
        complete(st, n, s.clock(st))
    elif kind == ABSENCE:
        absence.fall_due(st, trigger, c, s.due_high(st, n), s.due_low(st, n), s.due_since(st, n))
    else:
        end_wait(st, trigger, c)


@step
def before(st: int, i: int, j: int) -> bool:
    """Whether the i-th due trigger comes before the j-th: trigger, customer's id, kind, cause."""
    if s.due_trigger(st, i) != s.due_trigger(st, j):
        return s.due_trigger(st, i) < s.due_trigger(st, j)
    if s.due_customer(st, i) != s.due_customer(st, j):
        return id_less(st, s.due_customer(st, i), s.due_customer(st, j))
    if s.due_kind(st, i) != s.due_kind(st, j):
        return s.due_kind(st, i) < s.due_kind(st, j)
    if s.due_high(st, i) != s.due_high(st, j):
        return s.due_high(st, i) < s.due_high(st, j)
    return s.due_low(st, i) < s.due_low(st, j)


@step
def swap(st: int, i: int, j: int) -> None:
    """Exchange two places."""
    trigger, c, high, low = s.due_trigger(st, i), s.due_customer(st, i), s.due_high(st, i), s.due_low(st, i)
    since, kind = s.due_since(st, i), s.due_kind(st, i)
    write(
        st, i, s.due_trigger(st, j), s.due_customer(st, j), s.due_high(st, j), s.due_low(st, j),
        s.due_since(st, j), s.due_kind(st, j),
    )  # fmt: skip
    write(st, j, trigger, c, high, low, since, kind)


_sort = heap_sort(before, swap)
