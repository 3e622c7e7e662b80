"""How many rows of a customer have each value: what ``distinct`` counts by (M2)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles.customers import mix


@inlined
def lacks_room(st: int, more: int) -> bool:
    """Whether so many new values could fill more than three quarters of the table."""
    return 4 * (s.distinct_live(st) + more) >= 3 * s.distinct_capacity(st)


@inlined
def home(st: int, c: int, m: int, value: int) -> int:
    """Return the first place to look for (customer, metric, value)."""
    return mix(c * 65536 + m, value) & (s.distinct_capacity(st) - 1)


@step
def change_count(st: int, c: int, m: int, value: int, sign: int) -> int:
    """Add or take a row with ``value``; return 1 when it is new, -1 when it was the last, else 0."""
    mask = s.distinct_capacity(st) - 1
    i = home(st, c, m, value)
    while s.distinct_count(st, i) != 0:
        if (
            s.distinct_value(st, i) == value
            and s.distinct_customer(st, i) == c
            and s.distinct_metric(st, i) == m
        ):
            count = s.distinct_count(st, i) + sign
            s.set_distinct_count(st, i, count)
            if count:
                return 0
            close_gap(st, i)
            s.set_distinct_live(st, s.distinct_live(st) - 1)
            return -1
        i = (i + 1) & mask
    put(st, i, c, m, value, 1)
    s.set_distinct_live(st, s.distinct_live(st) + 1)
    return 1


@inlined
def put(st: int, i: int, c: int, m: int, value: int, count: int) -> None:
    """Write one place of the table."""
    s.set_distinct_customer(st, i, c)
    s.set_distinct_metric(st, i, m)
    s.set_distinct_value(st, i, value)
    s.set_distinct_count(st, i, count)


@step
def close_gap(st: int, gap: int) -> None:
    """Move later places back over an emptied one, so that every search still ends at its home's run."""
    mask = s.distinct_capacity(st) - 1
    i = (gap + 1) & mask
    while s.distinct_count(st, i) != 0:
        c, m, value = s.distinct_customer(st, i), s.distinct_metric(st, i), s.distinct_value(st, i)
        if (i - home(st, c, m, value)) & mask >= (i - gap) & mask:
            put(st, gap, c, m, value, s.distinct_count(st, i))
            s.set_distinct_count(st, i, 0)
            gap = i
        i = (i + 1) & mask


@step
def put_again(st: int, c: int, m: int, value: int, count: int) -> None:
    """Enter a counted value into a table that has grown."""
    mask = s.distinct_capacity(st) - 1
    i = home(st, c, m, value)
    while s.distinct_count(st, i) != 0:
        i = (i + 1) & mask
    put(st, i, c, m, value, count)
