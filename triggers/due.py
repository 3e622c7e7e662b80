"""What falls due in a minute, or at the step that ends its waiting (D4), by (trigger, customer)
(semantics T3 (7))."""

from __future__ import annotations

from engine import state as s
from engine.effects import LIVE
from engine.heap import heap_sort
from engine.jit import step
from engine.room import lacks_for_judging
from profiles import timers
from profiles.customers import id_less
from triggers import absence, occasions
from triggers.decide import cause_of_minute, condition_holds, end_wait, give_up
from triggers.freshness import awaited_source, is_stale
from triggers.guards import conclude


@step
def put(st: int, trigger: int, c: int, high: int, low: int, since: int) -> None:
    """Put a trigger on the list that is due since a minute."""
    n = s.due_used(st)
    s.set_due_used(st, n + 1)
    write(st, n, trigger, c, high, low, since)


@step
def put_timer(st: int, i: int) -> None:
    """Put the trigger of the timer at place i on the list."""
    kind, since = s.timer_kind(st, i) // timers.KIND, s.timer_minute(st, i)
    trigger = s.timer_kind(st, i) % timers.KIND
    if kind == timers.SOURCE_STALE:  # see absence.wait_for_source
        since -= s.trigger_max_age(st, trigger) + 1
    put(st, trigger, s.timer_customer(st, i), s.timer_high(st, i), s.timer_low(st, i), since)


@step
def write(st: int, n: int, trigger: int, c: int, high: int, low: int, since: int) -> None:
    """Write a place of the list."""
    s.set_due_trigger(st, n, trigger)
    s.set_due_customer(st, n, c)
    s.set_due_high(st, n, high)
    s.set_due_low(st, n, low)
    s.set_due_since(st, n, since)


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
                put(st, trigger, c, 0, 0, s.clock(st))


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
    trigger, c = s.due_trigger(st, n), s.due_customer(st, n)
    how = s.trigger_occasion(st, trigger)
    if s.mode_now(st) != LIVE or s.trigger_paused(st, trigger):  # it decides nothing (T5, D2): it is over
        give_up(st, trigger, c)
    elif how == occasions.SCHEDULE:
        cause_of_minute(st, conclude(st, trigger, c, s.clock(st)), s.clock(st))
    elif how == occasions.ABSENCE and s.trigger_for(st, trigger) == 0:
        absence.fall_due(st, trigger, c, s.due_high(st, n), s.due_low(st, n), s.due_since(st, n))
    else:
        end_wait(st, trigger, c)


@step
def before(st: int, i: int, j: int) -> bool:
    """Whether the i-th due trigger comes before the j-th: trigger, customer's id, cause."""
    if s.due_trigger(st, i) != s.due_trigger(st, j):
        return s.due_trigger(st, i) < s.due_trigger(st, j)
    if s.due_customer(st, i) != s.due_customer(st, j):
        return id_less(st, s.due_customer(st, i), s.due_customer(st, j))
    if s.due_high(st, i) != s.due_high(st, j):
        return s.due_high(st, i) < s.due_high(st, j)
    return s.due_low(st, i) < s.due_low(st, j)


@step
def swap(st: int, i: int, j: int) -> None:
    """Exchange two places."""
    trigger, c, high, low = s.due_trigger(st, i), s.due_customer(st, i), s.due_high(st, i), s.due_low(st, i)
    since = s.due_since(st, i)
    write(
        st, i, s.due_trigger(st, j), s.due_customer(st, j), s.due_high(st, j), s.due_low(st, j),
        s.due_since(st, j),
    )  # fmt: skip
    write(st, j, trigger, c, high, low, since)


_sort = heap_sort(before, swap)
