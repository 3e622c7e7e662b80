"""What falls due in a minute, by (trigger, customer) (semantics T3 (7))."""

from __future__ import annotations

from engine import state as s
from engine.effects import LIVE
from engine.heap import heap_sort
from engine.jit import step
from profiles.customers import id_less
from triggers import absence, occasions
from triggers.decide import cause_of_minute, condition_holds, end_wait, give_up
from triggers.guards import conclude


@step
def put(st: int, trigger: int, c: int, high: int, low: int) -> None:
    """Put a due trigger on the list."""
    n = s.due_used(st)
    s.set_due_used(st, n + 1)
    write(st, n, trigger, c, high, low)


@step
def write(st: int, n: int, trigger: int, c: int, high: int, low: int) -> None:
    """Write a place of the list."""
    s.set_due_trigger(st, n, trigger)
    s.set_due_customer(st, n, c)
    s.set_due_high(st, n, high)
    s.set_due_low(st, n, low)


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
            if condition_holds(st, trigger, c, -1):
                put(st, trigger, c, 0, 0)


@step
def decide(st: int, n: int) -> None:
    """Decide the n-th due trigger."""
    trigger, c = s.due_trigger(st, n), s.due_customer(st, n)
    how = s.trigger_occasion(st, trigger)
    if s.mode_now(st) != LIVE:  # decisions exist only in live mode (T5): what falls due is over
        give_up(st, trigger, c)
    elif how == occasions.SCHEDULE:
        cause_of_minute(st, conclude(st, trigger, c, s.clock(st)), s.clock(st))
    elif how == occasions.ABSENCE and s.trigger_for(st, trigger) == 0:
        absence.fall_due(st, trigger, c, s.due_high(st, n), s.due_low(st, n))
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
    write(st, i, s.due_trigger(st, j), s.due_customer(st, j), s.due_high(st, j), s.due_low(st, j))
    write(st, j, trigger, c, high, low)


_sort = heap_sort(before, swap)


@step
def sort(st: int) -> None:
    """Put the list into its order."""
    _sort(st, s.due_used(st))
