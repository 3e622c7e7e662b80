"""Scores under the cut points in force (semantics R1, R3, R4), and recency cuts that move with the clock.

A recency cut is held as its *reach*: the last order minute at or before which the cut is exceeded. With
recency in minutes the reach of quantiles and means stands still; with whole days, and with fixed cuts, it
moves every minute although nothing happens. `sorted_recent` then tells who is crossed.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step

STANDS, FIXED_MINUTES, FIXED_DAYS, QUANTILE_DAYS, MEAN_DAYS = range(5)
DAY = 1440
CUTS = 9  # places for the cuts of at most ten bins
PACK = 1 << 31
RECENCY, FREQUENCY, MONETARY = 1, 2, 4  # bits of measures


@inlined
def reach(st: int, model: int, i: int, minute: int, days_total: int) -> int:
    """Return the reach of recency cut i at ``minute``; days_total: see method mean by day."""
    at = model * CUTS + i
    how = s.model_reach(st, model)
    if how == STANDS:
        return s.cut_r(st, at)
    if how == FIXED_MINUTES:
        return minute - s.cut_r(st, at) - 1
    if how == FIXED_DAYS:
        return minute - DAY * (s.cut_r(st, at) + 1)
    if how == QUANTILE_DAYS:  # days are read off the two order statistics, then R3
        n, part = s.model_bins_r(st, model), s.cut_r_part(st, at)
        taken = s.cuts_minute(st, model) if s.cuts_minute(st, model) else minute
        below, above = (taken - s.cut_r_low(st, at)) // DAY, (taken - s.cut_r_high(st, at)) // DAY
        return minute - DAY * ((below * (n - part) + above * part) // n + 1)
    size = s.days_size(st, model)
    return minute - DAY * ((days_total + size - 1) // size)


@step
def crossed(st: int, model: int, minute: int, days_total: int) -> bool:
    """Whether anybody's recency score differs at ``minute`` from what is stored."""
    for i in range(s.model_bins_r(st, model) - 1):
        now = reach(st, model, i, minute, days_total)
        if now != s.reach_now(st, model * CUTS + i):
            if place_in_sorted(st, model, now) != s.reach_place(st, model * CUTS + i):
                return True
    return False


@step
def place_in_sorted(st: int, model: int, minute: int) -> int:
    """Return how many of the partition's population had their last order at or before ``minute``."""
    first = s.sorted_first(st, model)
    low, high = first, s.sorted_first(st, model + 1)
    bound = (minute + 1) * PACK
    while low < high:
        middle = (low + high) >> 1
        if s.sorted_recent(st, middle) < bound:
            low = middle + 1
        else:
            high = middle
    return low - first


@step
def next_crossing(st: int, model: int, last: int) -> int:
    """Return the first minute after the clock, up to ``last``, where a cut crosses somebody; or last + 1."""
    if s.model_reach(st, model) == STANDS or s.cuts_known(st, model) == 0:
        return last + 1
    total = s.days_total(st, model)
    for minute in range(s.clock(st) + 1, last + 1):
        if s.cuts_minute(st, model) == 0:
            total += s.days_residue(st, model * DAY + minute % DAY)
        if crossed(st, model, minute, total):
            return minute
    return last + 1


@step
def move_cuts(st: int, model: int, minutes: int) -> None:
    """Bring a model's moving parts to the clock, which has just moved by ``minutes``."""
    if s.model_reach(st, model) == MEAN_DAYS and s.cuts_minute(st, model) == 0:
        total = s.days_total(st, model)
        for minute in range(s.clock(st) - minutes + 1, s.clock(st) + 1):
            total += s.days_residue(st, model * DAY + minute % DAY)
        s.set_days_total(st, model, total)


@step
def settle_reach(st: int, model: int) -> None:
    """Store the reach of every recency cut at the clock."""
    for i in range(s.model_bins_r(st, model) - 1):
        at = model * CUTS + i
        s.set_reach_now(st, at, reach(st, model, i, s.clock(st), s.days_total(st, model)))
        s.set_reach_place(st, at, place_in_sorted(st, model, s.reach_now(st, at)))


@step
def rescore(st: int, c: int, model: int) -> bool:
    """Score one customer under the cuts in force; return whether a score or the segment changed."""
    at = c * s.models(st) + model
    r, f, m, segment = 0, 0, 0, -1
    if s.recent(st, at) >= 0 and s.cuts_known(st, model) == 1:
        r, f, m = s.model_bins_r(st, model), 1, 1
        for i in range(s.model_bins_r(st, model) - 1):
            if s.recent(st, at) <= s.reach_now(st, model * CUTS + i):
                r -= 1
        for i in range(s.model_bins_f(st, model) - 1):
            if s.frequency(st, at) >= s.cut_f(st, model * CUTS + i):
                f += 1
        for i in range(s.model_bins_m(st, model) - 1):
            if s.monetary(st, at) >= s.cut_m(st, model * CUTS + i):
                m += 1
        segment = s.model_segment(st, model * 1000 + (r - 1) * 100 + (f - 1) * 10 + m - 1)
    if (
        r == s.score_r(st, at)
        and f == s.score_f(st, at)
        and m == s.score_m(st, at)
        and segment == s.segment(st, at)
    ):
        return False
    s.set_score_r(st, at, r)
    s.set_score_f(st, at, f)
    s.set_score_m(st, at, m)
    s.set_segment(st, at, segment)
    return True


@step
def differs(st: int, c: int, model: int, measures: int) -> bool:
    """Whether stored scores differ from those under the cuts in force; measures: bits of those that can."""
    at = c * s.models(st) + model
    if s.recent(st, at) < 0:
        return s.score_r(st, at) != 0
    r, f, m = s.model_bins_r(st, model), s.score_f(st, at), s.score_m(st, at)
    for i in range(s.model_bins_r(st, model) - 1):
        if s.recent(st, at) <= s.reach_now(st, model * CUTS + i):
            r -= 1
    if measures & FREQUENCY:
        f = 1
        for i in range(s.model_bins_f(st, model) - 1):
            if s.frequency(st, at) >= s.cut_f(st, model * CUTS + i):
                f += 1
    if measures & MONETARY:
        m = 1
        for i in range(s.model_bins_m(st, model) - 1):
            if s.monetary(st, at) >= s.cut_m(st, model * CUTS + i):
                m += 1
    return r != s.score_r(st, at) or f != s.score_f(st, at) or m != s.score_m(st, at)
