"""Whether a step has the room it may need; if not, the kernel stops and the caller lets state grow."""

from __future__ import annotations

from engine import state as s
from engine.jit import step
from profiles.lists import room_needed

(NOTHING, CUSTOMER, ROW, ENTRY, LIST, DISTINCT, FACT, TIMER, TRANSITION, DECISION) = range(10)
DOMAINS = ("", "customer", "row", "entry", "list", "distinct", "fact", "timer", "transition", "decision")


@step
def lacks_for_row(st: int, source: int, c: int) -> int:
    """Return what one row of a source could lack; c is its customer, or -1."""
    if s.customers_used(st) + 1 >= s.customer_capacity(st):
        return CUSTOMER
    if s.rows_free(st) == 0 and s.rows_used(st) + 1 >= s.row_capacity(st):
        return ROW
    if s.entries_free(st) == 0 and s.entries_used(st) + 1 >= s.entry_capacity(st):
        return ENTRY
    needed = room_needed(st, c * s.sources(st) + source) if c >= 0 else 4
    if s.list_used(st) + needed >= s.list_capacity(st):
        return LIST
    if 2 * (s.distinct_live(st) + s.metrics(st)) >= s.distinct_capacity(st):
        return DISTINCT
    return lacks_for_judging(st, 2)


@step
def lacks_for_judging(st: int, customers: int) -> int:
    """Return what judging so many customers could lack."""
    most = customers * (s.tags(st) + s.triggers(st) + s.own_windows(st) + s.models(st) + 1)
    if 2 * (s.facts_live(st) + 2 * most) >= s.fact_capacity(st):
        return FACT
    if s.timers_live(st) + 2 * most >= s.timer_capacity(st):
        return TIMER
    if s.transitions_used(st) + 2 * most >= s.transition_capacity(st):
        return TRANSITION
    if s.decisions_used(st) + 2 * most >= s.decision_capacity(st):
        return DECISION
    return NOTHING
