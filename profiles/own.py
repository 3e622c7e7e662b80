"""Own windows: a customer's years begin at the anniversaries of a date attribute (semantics W5)."""

from __future__ import annotations

from engine import state as s
from engine.jit import step
from engine.touched import touch, touch_bits
from profiles import lists, metrics, timers
from profiles.intervals import OWN, holds, move_own_bounds


@step
def follow_anchors(st: int, c: int, source: int) -> None:
    """Renew the own windows of a customer after a step in which a row of ``source`` may have moved a date."""
    for w in range(s.windows(st)):
        if s.window_kind(st, w) == OWN and s.metric_source(st, s.window_anchor(st, w)) == source:
            renew(st, w, source_of(st, w), c)


@step
def follow_all_anchors(st: int, c: int) -> None:
    """Renew a customer's own windows at an opening, where a waiting row may have brought a date (W6)."""
    for w in range(s.windows(st)):
        if s.window_kind(st, w) == OWN:
            renew(st, w, source_of(st, w), c)


@step
def source_of(st: int, w: int) -> int:
    """Return the source to which a window belongs."""
    for source in range(s.sources(st)):
        if s.source_window(st, source) <= w < s.source_window(st, source + 1):
            return source
    return -1


@step
def renew(st: int, w: int, source: int, c: int) -> None:
    """Bring one own window to the clock: what it counted before leaves, what it counts now enters."""
    at = c * s.own_windows(st) + s.window_unit(st, w)
    due = s.own_due(st, at)
    m = s.window_anchor(st, w)
    known = metrics.is_known(st, c, m)
    anchor = metrics.read(st, c, m) if known else 0
    low, high = s.own_low(st, at), s.own_high(st, at)
    if move_own_bounds(st, w, c, anchor, known):
        new_low, new_high = s.own_low(st, at), s.own_high(st, at)
        s.set_own_low(st, at, low)
        s.set_own_high(st, at, high)
        change_all(st, w, source, c, -1)
        s.set_own_low(st, at, new_low)
        s.set_own_high(st, at, new_high)
        change_all(st, w, source, c, 1)
    if s.own_due(st, at) != due and s.own_due(st, at) != 0:
        timers.start(st, s.own_due(st, at), timers.ANNIVERSARY, w, c, 0, 0)


@step
def change_all(st: int, w: int, source: int, c: int, sign: int) -> None:
    """Apply or retract every row that window w of customer c holds."""
    h = c * s.sources(st) + source
    words = s.row_words(st)
    for k in range(s.list_size(st, h)):
        row = lists.row_at(st, h, k)
        if holds(st, w, c, s.row_minute(st, row)):
            for word in range(words):
                bits = s.row_pass(st, row * words + word) & s.window_bits(st, w * words + word)
                if bits:
                    metrics.change(st, c, source, row, bits, word, sign)
                    touch_bits(st, touch(st, c), source, bits, word)
