"""What falls due at a minute: a binary heap ordered by minute. What is stale is found so when it is due."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step

TAG_ENDS, MANUAL_ENDS, ANNIVERSARY, FOR_ENDS, ABSENCE, SOURCE_STALE, HOLD_ENDS = range(7)
KIND = 65536
NEVER = (1 << 31) - 1


@step
def start(st: int, minute: int, kind: int, number: int, c: int, high: int, low: int) -> None:
    """Set a timer; room is there. high, low: the key of the row that caused it, or 0."""
    i = s.timers_live(st)
    s.set_timers_live(st, i + 1)
    while i > 0 and s.timer_minute(st, (i - 1) >> 1) > minute:
        copy(st, (i - 1) >> 1, i)
        i = (i - 1) >> 1
    put(st, i, minute, kind * KIND + number, c, high, low)


@inlined
def next_minute(st: int) -> int:
    """Return the earliest due minute, or NEVER."""
    return s.timer_minute(st, 0) if s.timers_live(st) > 0 else NEVER


@step
def drop_first(st: int) -> None:
    """Take the earliest timer off the heap; the caller has read it at place 0."""
    n = s.timers_live(st) - 1
    s.set_timers_live(st, n)
    if n == 0:
        return
    minute = s.timer_minute(st, n)
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and s.timer_minute(st, child + 1) < s.timer_minute(st, child):
            child += 1
        if s.timer_minute(st, child) >= minute:
            break
        copy(st, child, i)
        i = child
    copy(st, n, i)


@step
def keep_first(st: int, n: int) -> None:
    """Let the timers at the first n places, in whatever order, be the heap; the others are gone."""
    for i in range(n):
        s.set_timers_live(st, i)
        kind = s.timer_kind(st, i)
        start(
            st, s.timer_minute(st, i), kind // KIND, kind % KIND,
            s.timer_customer(st, i), s.timer_high(st, i), s.timer_low(st, i),
        )  # fmt: skip
    s.set_timers_live(st, n)


@inlined
def copy(st: int, i: int, j: int) -> None:
    """Copy timer i to place j."""
    put(
        st,
        j,
        s.timer_minute(st, i),
        s.timer_kind(st, i),
        s.timer_customer(st, i),
        s.timer_high(st, i),
        s.timer_low(st, i),
    )


@inlined
def put(st: int, i: int, minute: int, kind: int, c: int, high: int, low: int) -> None:
    """Write a place of the heap."""
    s.set_timer_minute(st, i, minute)
    s.set_timer_kind(st, i, kind)
    s.set_timer_customer(st, i, c)
    s.set_timer_high(st, i, high)
    s.set_timer_low(st, i, low)
