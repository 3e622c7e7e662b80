"""Whether a step has the room it may need; if not, the kernel stops and the caller lets state grow."""

from __future__ import annotations

from engine import guard_state as g
from engine import state as s
from engine.jit import step
from profiles import directory, distinct, lists, rows, timers
from profiles.halves import fits_half
from profiles.intervals import ALL, next_high
from profiles.lists import block_size, room_needed
from triggers.caps import PARTS

(NOTHING, CUSTOMER, ROW, ENTRY, LIST, DISTINCT, FACT, TIMER, TRANSITION, DECISION) = range(10)
WIDE_VALUES, LONG_KEYS, WIDE_KEYS, WIDE_POSITIONS, ENTRY_SLOT = range(10, 15)
DOMAINS = (
    "",
    "customer",
    "row",
    "entry",
    "list",
    "distinct",
    "fact",
    "timer",
    "transition",
    "decision",
    "wide_values",
    "long_keys",
    "wide_keys",
    "wide_positions",
    "entry_slot",
)


@step
def lacks_width(st: int, i: int) -> int:
    """Return whether the row at batch index i needs wider columns than state has yet."""
    if not rows.values_fit(st, i):
        return WIDE_VALUES
    if s.long_keys_now(st) == 0 and not fits_half(s.b_key_low(st, i)):
        return LONG_KEYS
    if s.wide_keys_now(st) == 0 and s.b_key_high(st, i) != s.WHOLE_KEY:
        return WIDE_KEYS
    if s.wide_positions_now(st) == 0 and (
        s.b_position(st, i) != 0 or s.b_epoch(st, i) != 0 or not fits_half(s.b_offset(st, i))
    ):
        return WIDE_POSITIONS
    return NOTHING


@step
def lacks_for_row(st: int, source: int, c: int) -> int:
    """Return what one row of a source could lack; c is its customer, or -1."""
    if s.customers_used(st) + 1 >= s.customer_capacity(st):
        return CUSTOMER
    if s.rows_free(st) == 0 and s.rows_used(st) + 1 >= s.row_capacity(st):
        return ROW
    if s.entries_free(st) == 0 and s.entries_used(st) + 1 >= s.entry_capacity(st):
        return ENTRY
    if directory.table_lacks_room(st):
        return ENTRY_SLOT
    needed = room_needed(st, c * s.sources(st) + source) if c >= 0 else block_size(0)
    if s.list_used(st) + needed >= s.list_capacity(st):
        return LIST
    most = s.metrics(st)
    if s.own_windows(st) and c >= 0:  # the row may bring a date, and all rows of the customer into a year
        most += s.distincts(st) * lists.size_of_all(st, c)
    if distinct.lacks_room(st, most):
        return DISTINCT
    return lacks_for_judging(st, 2)


@step
def lacks_for_opening(st: int, minute: int) -> int:
    """Return what the rows that enter windows at the opening of a minute could lack: places of different
    values, and timers of own windows."""
    if s.distincts(st) == 0 and s.own_windows(st) == 0:
        return NOTHING
    values, dates, moved = s.metrics(st), 0, 0
    for source in range(s.sources(st)):
        for w in range(s.source_window(st, source), s.source_window(st, source + 1)):
            # attributes are over "all": a row that enters there may bring a date (W6)
            may_be_date = s.own_windows(st) > 0 and s.window_kind(st, w) == ALL
            if s.window_distincts(st, w) == 0 and not may_be_date:
                continue
            for m in range(s.window_high(st, w), next_high(st, w, minute)):
                values += s.window_distincts(st, w) * rows.count_of_minute(st, source, m)
                if may_be_date:
                    dates += rows.count_of_minute(st, source, m)
                    moved += rows_beside(st, source, m)
    if s.own_windows(st):
        values += s.distincts(st) * (moved + rows_of_new_years(st, minute))
    if s.distincts(st) and distinct.lacks_room(st, values):
        return DISTINCT
    if s.own_windows(st) and s.timers_live(st) + dates * s.own_windows(st) >= s.timer_capacity(st):
        return TIMER
    return NOTHING


@step
def rows_beside(st: int, source: int, minute: int) -> int:
    """Return how many rows the customers of the rows of a minute have, counted for each of those."""
    following, count = s.minute_head(st, rows.head_place(st, source, minute)), 0
    while following:
        count += lists.size_of_all(st, s.row_customer(st, following - 1))
        following = s.row_next(st, following - 1)
    return count


@step
def rows_of_new_years(st: int, minute: int) -> int:
    """Return how many rows the customers have whose own years begin at ``minute``."""
    count = 0
    if timers.next_minute(st) <= minute:
        for i in range(s.timers_live(st)):
            if s.timer_minute(st, i) <= minute and s.timer_kind(st, i) // timers.KIND == timers.ANNIVERSARY:
                count += lists.size_of_all(st, s.timer_customer(st, i))
    return count


@step
def lacks_for_judging(st: int, customers: int) -> int:
    """Return what judging so many customers could lack."""
    most = customers * (s.tags(st) + s.triggers(st) + s.own_windows(st) + s.models(st) + 1)
    slots = customers * g.caps(st) * PARTS  # facts that taking slots may add, whatever takes them
    if 2 * (s.facts_live(st) + 2 * most + slots) >= s.fact_capacity(st):
        return FACT
    if s.timers_live(st) + 2 * most >= s.timer_capacity(st):
        return TIMER
    if s.transitions_used(st) + 2 * most >= s.transition_capacity(st):
        return TRANSITION
    if s.decisions_used(st) + 2 * most >= s.decision_capacity(st):
        return DECISION
    return NOTHING
