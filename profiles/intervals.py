"""Windows at the clock: which event minutes each of them holds (semantics W5).

Every window is an interval [low, high) of event minutes whose ends only move forward. A row is in it when
its minute is; nothing about windows is stored with rows.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles.calendar import own_bounds

ALL, TRAILING, CALENDAR, OWN = range(4)
FOREVER = -(1 << 30)  # low end of windows that never leave


@step
def set_window(st: int, w: int, minute: int) -> None:
    """Move a window's ends to where they are at ``minute``; the calendar units have been moved before."""
    kind = s.window_kind(st, w)
    if kind == ALL:
        s.set_window_low(st, w, FOREVER)
        s.set_window_high(st, w, minute + 1)
    elif kind == TRAILING:
        end = minute - s.window_offset(st, w) + 1
        s.set_window_low(st, w, end - s.window_length(st, w))
        s.set_window_high(st, w, end)
    elif kind == CALENDAR:
        at = s.unit_now(st, s.window_unit(st, w)) - s.window_offset(st, w)
        s.set_window_low(st, w, s.calendar_start(st, at))
        s.set_window_high(st, w, min(s.calendar_start(st, at + 1), minute + 1))
    else:  # a customer's own year: what follows is only how long rows are kept
        s.set_window_low(st, w, minute - s.window_length(st, w))
        s.set_window_high(st, w, minute + 1)


@step
def next_high(st: int, w: int, minute: int) -> int:
    """Return where window w will end at ``minute``, which is about to open (nothing is stored)."""
    kind = s.window_kind(st, w)
    if kind == TRAILING:
        return minute - s.window_offset(st, w) + 1
    if kind != CALENDAR:
        return minute + 1
    at = s.unit_now(st, s.window_unit(st, w))
    while s.calendar_start(st, at + 1) <= minute:
        at += 1
    return min(s.calendar_start(st, at - s.window_offset(st, w) + 1), minute + 1)


@step
def move_units(st: int, minute: int) -> None:
    """Let every calendar unit point at the boundary at or before ``minute``."""
    for u in range(5):
        at = s.unit_now(st, u)
        while s.calendar_start(st, at + 1) <= minute:
            at += 1
        s.set_unit_now(st, u, at)


@inlined
def holds(st: int, w: int, c: int, minute: int) -> bool:
    """Whether window w of customer c holds an event minute at the clock."""
    if s.window_kind(st, w) == OWN:
        at = c * s.own_windows(st) + s.window_unit(st, w)
        return s.own_low(st, at) <= minute < s.own_high(st, at) and minute <= s.clock(st)
    return s.window_low(st, w) <= minute < s.window_high(st, w)


@step
def counted_bits(st: int, source: int, c: int, minute: int, word: int) -> int:
    """Return the bits of the source's metrics whose window holds an event minute of customer c."""
    bits = 0
    words = s.row_words(st)
    for w in range(s.source_window(st, source), s.source_window(st, source + 1)):
        if holds(st, w, c, minute):
            bits |= s.window_bits(st, w * words + word)
    return bits


@step
def is_awaited(st: int, row: int, source: int, minute: int) -> bool:
    """Whether some metric counts a row or will count it: its window has not yet left the minute (W3)."""
    words = s.row_words(st)
    for w in range(s.source_window(st, source), s.source_window(st, source + 1)):
        if minute >= s.window_low(st, w):
            for word in range(words):
                if s.row_pass(st, row * words + word) & s.window_bits(st, w * words + word):
                    return True
    return False


@step
def have_all_left(st: int, source: int, minute: int) -> bool:
    """Whether every window of a source that ends has left a minute."""
    for w in range(s.source_window(st, source), s.source_window(st, source + 1)):
        if s.window_kind(st, w) != ALL and s.window_low(st, w) <= minute:
            return False
    return True


@step
def move_own_bounds(st: int, w: int, c: int, anchor: int, known: int) -> bool:
    """Set own window w of customer c from its anchor date at the clock; return whether its ends moved."""
    at = c * s.own_windows(st) + s.window_unit(st, w)
    low, high, following = 0, 0, 0
    if known:
        low, high, following = own_bounds(st, anchor, s.window_offset(st, w))
    moved = low != s.own_low(st, at) or high != s.own_high(st, at)
    s.set_own_low(st, at, low)
    s.set_own_high(st, at, high)
    s.set_own_due(st, at, following)
    return moved
