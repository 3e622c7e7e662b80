"""Metrics: what each function keeps per customer, and how a row is applied and retracted (M1 to M3).

Accumulators are whole numbers, side by side for each customer: sums and extremes in 64 bits (*slots*), counts
and numbers of rows in 32 (*tallies*). Adding and taking back are exact inverses;
an extreme that loses its row is marked and found again from the customer's own rows (`profiles.extremes`).
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import distinct, rows
from profiles.lists import row_less

COUNT, SUM, AVG, MIN, MAX, FIRST, LAST, DISTINCT = range(8)
NAMES = ("count", "sum", "avg", "min", "max", "first", "last", "distinct")
SLOTS = (0, 1, 1, 1, 1, 0, 0, 0)  # accumulators of each function
TALLIES = (1, 0, 1, 1, 1, 1, 1, 1)
LOST = -1  # in the tally of min, max, first or last: find it again
SUM_OVERFLOW = 1
SUM_LIMIT = 1 << 62


@inlined
def slot_place(st: int, c: int, m: int) -> int:
    """Return the place of metric m's slot for customer c."""
    return c * s.slots(st) + s.metric_slot(st, m)


@inlined
def tally_place(st: int, c: int, m: int) -> int:
    """Return the place of metric m's tally for customer c."""
    return c * s.tallies(st) + s.metric_tally(st, m)


@inlined
def tally_of(st: int, c: int, m: int) -> int:
    """Return a metric's count (of an avg, or of rows with the extreme), or the row + 1 of first and last."""
    return s.tally(st, tally_place(st, c, m))


@inlined
def value_of(st: int, m: int, row: int) -> int:
    """Return the row's value that metric m looks at: a column, or the event minute itself."""
    j = s.metric_value(st, m)
    return rows.value(st, row * s.row_values(st) + j) if j >= 0 else s.row_minute(st, row)


@step
def change(st: int, c: int, source: int, row: int, bits: int, word: int, sign: int) -> None:
    """Apply (sign 1) or retract (sign -1) a row in the metrics whose bits are given."""
    base = (source * s.row_words(st) + word) * s.ROW_WORD
    b = 0
    while bits:
        while bits & 255 == 0:
            bits >>= 8
            b += 8
        if bits & 1:
            m = s.bit_metric(st, base + b)
            change_one(st, c, m, row, sign)
        bits >>= 1
        b += 1


@inlined
def change_one(st: int, c: int, m: int, row: int, sign: int) -> None:
    """Apply or retract a row in one metric."""
    function = s.metric_function(st, m)
    if function == SUM or function == AVG:
        at = slot_place(st, c, m)
        total = s.slot(st, at) + sign * value_of(st, m, row)
        if total > SUM_LIMIT or total < -SUM_LIMIT:
            s.set_failure(st, SUM_OVERFLOW)
        s.set_slot(st, at, total)
    if function == COUNT or function == AVG:
        add_to_tally(st, c, m, sign)
    elif function == DISTINCT:
        add_to_tally(st, c, m, distinct.change_count(st, c, m, value_of(st, m, row), sign))
    elif function == FIRST or function == LAST:
        change_end(st, c, m, row, sign, function)
    elif function == MIN or function == MAX:
        change_extreme(st, c, m, value_of(st, m, row), sign, function)


@inlined
def add_to_tally(st: int, c: int, m: int, more: int) -> None:
    """Count so many more."""
    at = tally_place(st, c, m)
    s.set_tally(st, at, s.tally(st, at) + more)


@step
def change_extreme(st: int, c: int, m: int, value: int, sign: int, function: int) -> None:
    """Keep (extreme, how many rows have it)."""
    counted, at = tally_place(st, c, m), slot_place(st, c, m)
    count = s.tally(st, counted)
    if count == LOST:
        return
    extreme = s.slot(st, at)
    if sign > 0:
        if count == 0 or (value < extreme if function == MIN else value > extreme):
            s.set_slot(st, at, value)
            s.set_tally(st, counted, 1)
        elif value == extreme:
            s.set_tally(st, counted, count + 1)
    elif value == extreme:
        s.set_tally(st, counted, count - 1)
        if count == 1:
            mark_lost(st, c, m)


@step
def change_end(st: int, c: int, m: int, row: int, sign: int, function: int) -> None:
    """Keep the row (+ 1) that is first or last by event time and key (M3)."""
    at = tally_place(st, c, m)
    held = s.tally(st, at)
    if held == LOST:
        return
    if sign < 0:
        if held == row + 1:
            mark_lost(st, c, m)
    elif held == 0 or (row_less(st, row, held - 1) if function == FIRST else row_less(st, held - 1, row)):
        s.set_tally(st, at, row + 1)


@step
def mark_lost(st: int, c: int, m: int) -> None:
    """Note that an extreme must be found again at the end of this step."""
    s.set_tally(st, tally_place(st, c, m), LOST)
    n = s.dirty_used(st)
    s.set_dirty_metric(st, n, m)
    s.set_dirty_customer(st, n, c)
    s.set_dirty_used(st, n + 1)


@inlined
def is_known(st: int, c: int, m: int) -> bool:
    """Whether a metric has a value: avg, min, max, first and last of nothing have none (M2)."""
    function = s.metric_function(st, m)
    if function == COUNT or function == SUM or function == DISTINCT:
        return True
    return tally_of(st, c, m) > 0


@inlined
def read(st: int, c: int, m: int) -> int:
    """Return a metric's value where it is known; of avg the sum (its count is the tally)."""
    function = s.metric_function(st, m)
    if function == COUNT or function == DISTINCT:
        return tally_of(st, c, m)
    if function == FIRST or function == LAST:
        return value_of(st, m, tally_of(st, c, m) - 1)
    return s.slot(st, slot_place(st, c, m))
