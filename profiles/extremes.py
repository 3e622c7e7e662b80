"""Finding an extreme again after its row has gone, from the customer's own rows."""

from __future__ import annotations

from engine import state as s
from engine.jit import step
from profiles import lists
from profiles.intervals import holds
from profiles.metrics import FIRST, LAST, LOST, MAX, MIN, slot_place, tally_place, value_of


@step
def find_lost_extremes(st: int) -> None:
    """Recompute every extreme marked in this step; each once."""
    n = s.dirty_used(st)
    s.set_dirty_used(st, 0)
    for i in range(n):
        c, m = s.dirty_customer(st, i), s.dirty_metric(st, i)
        at = tally_place(st, c, m)
        function = s.metric_function(st, m)
        s.set_recomputed(st, s.recomputed(st) + 1)
        if s.tally(st, at) != LOST:
            continue
        if function == FIRST or function == LAST:
            s.set_tally(st, at, find_end(st, c, m, function))
        else:
            find_extreme(st, c, m, function)


@step
def counts(st: int, c: int, m: int, row: int) -> bool:
    """Whether metric m counts a row of its source at the clock."""
    bit = s.metric_bit(st, m)
    if s.row_pass(st, row * s.row_words(st) + bit // s.ROW_WORD) >> (bit % s.ROW_WORD) & 1 == 0:
        return False
    return holds(st, s.metric_window(st, m), c, s.row_minute(st, row))


@step
def find_end(st: int, c: int, m: int, function: int) -> int:
    """Return the first or last row that counts, + 1; 0 for none."""
    h = c * s.sources(st) + s.metric_source(st, m)
    size = s.list_size(st, h)
    if function == FIRST:
        for i in range(lists.first_from(st, h, s.window_low(st, s.metric_window(st, m))), size):
            if counts(st, c, m, lists.row_at(st, h, i)):
                return lists.row_at(st, h, i) + 1
        return 0
    for i in range(size - 1, -1, -1):
        if counts(st, c, m, lists.row_at(st, h, i)):
            return lists.row_at(st, h, i) + 1
        if s.row_minute(st, lists.row_at(st, h, i)) < s.window_low(st, s.metric_window(st, m)):
            return 0
    return 0


@step
def find_extreme(st: int, c: int, m: int, function: int) -> None:
    """Set (extreme, how many rows have it) from the rows that count."""
    h = c * s.sources(st) + s.metric_source(st, m)
    extreme, count = 0, 0
    for i in range(lists.first_from(st, h, s.window_low(st, s.metric_window(st, m))), s.list_size(st, h)):
        row = lists.row_at(st, h, i)
        if not counts(st, c, m, row):
            continue
        value = value_of(st, m, row)
        if count == 0 or (function == MIN and value < extreme) or (function == MAX and value > extreme):
            extreme, count = value, 1
        elif value == extreme:
            count += 1
    s.set_slot(st, slot_place(st, c, m), extreme)
    s.set_tally(st, tally_place(st, c, m), count)
