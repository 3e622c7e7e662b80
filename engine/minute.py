"""Opening a minute: the steps of advance(m), in order (semantics T3).

`open_minute` does (1) to (4); then the caller takes cut points if the population has changed (5);
`close_minute` does (6) and (7), and may be called again when it ran out of room.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from engine.judge import judge, read_touched_values
from engine.room import lacks_for_judging
from engine.touched import clear_touched, sort_touched, touch, touch_bits, touch_tag
from profiles import directory, facts, metrics, own, rows, timers
from profiles.extremes import find_lost_extremes
from profiles.intervals import OWN, have_all_left, holds, is_awaited, move_units, set_window
from rfm import scores
from tags.candidate import bit_of, release, word_of
from triggers import due
from triggers.decide import take_occasions

PREPARE, JUDGE, COLLECT, DECIDE = range(4)


@step
def open_rows(st: int, minute: int) -> None:
    """(1), (2): rows enter and leave at every edge that the minute reaches."""
    s.set_clock(st, minute)
    move_units(st, minute)
    for source in range(s.sources(st)):
        for w in range(s.source_window(st, source), s.source_window(st, source + 1)):
            low, high = s.window_low(st, w), s.window_high(st, w)
            set_window(st, w, minute)
            for m in range(high, s.window_high(st, w)):
                pass_edge(st, source, w, m, 1)
            for m in range(low, s.window_low(st, w)):
                pass_edge(st, source, w, m, -1)


@inlined
def pass_edge(st: int, source: int, w: int, m: int, sign: int) -> None:
    """Let the rows of event minute m enter (sign 1) or leave (-1) window w."""
    if s.minute_head(st, rows.head_place(st, source, m)):
        pass_rows(st, source, w, m, sign)


@step
def pass_rows(st: int, source: int, w: int, m: int, sign: int) -> None:
    """Walk the rows of one event minute; one that nothing awaits any more is dropped (W3)."""
    words, over = s.row_words(st), sign < 0 and have_all_left(st, source, m)
    following = s.minute_head(st, rows.head_place(st, source, m))
    while following:
        row = following - 1
        following = s.row_next(st, row)
        if s.row_minute(st, row) != m:
            continue
        c = s.row_customer(st, row)
        if s.window_kind(st, w) != OWN or (sign > 0 and holds(st, w, c, m)):
            for word in range(words):
                bits = s.row_pass(st, row * words + word) & s.window_bits(st, w * words + word)
                if bits:
                    metrics.change(st, c, source, row, bits, word, sign)
                    touch_bits(st, touch(st, c), source, bits, word)
        if sign < 0 and not is_awaited(st, row, source, m):
            directory.bury(st, s.row_entry(st, row), directory.DROPPED)
            rows.free_row(st, row, source)
        elif over:  # only windows that never end count it: no edge will ask for its minute again
            rows.unlink(st, row, source)


@step
def end_timers(st: int) -> None:
    """(4): what falls due at the minute; triggers are put aside for (7)."""
    while timers.next_minute(st) <= s.clock(st):
        kind, c = s.timer_kind(st, 0) // timers.KIND, s.timer_customer(st, 0)
        number, minute = s.timer_kind(st, 0) % timers.KIND, s.timer_minute(st, 0)
        if kind >= timers.FOR_ENDS:
            due.put_timer(st, 0)
        timers.drop_first(st)
        if kind == timers.TAG_ENDS:
            touch_tag(st, touch(st, c), number)
        elif kind == timers.MANUAL_ENDS:
            end_manual(st, c, number, minute)
        elif kind == timers.ANNIVERSARY:
            at = c * s.own_windows(st) + s.window_unit(st, number)
            if s.own_due(st, at) == minute:
                own.renew(st, number, own.source_of(st, number), c)


@step
def end_manual(st: int, c: int, tag: int, minute: int) -> None:
    """A tag set by hand until this minute goes back to its rule."""
    if s.manual(st, word_of(st, c, tag)) & bit_of(st, tag) == 0:
        return
    fact = facts.find(st, c, facts.MANUAL, tag)
    if facts.value(st, fact, 1) == minute:
        release(st, c, tag)
        touch_tag(st, touch(st, c), tag)


@step
def open_all(st: int, minute: int) -> None:
    """(1) to (4), and the RFM values of whom they touched."""
    open_rows(st, minute)
    end_timers(st)
    find_lost_extremes(st)
    if s.own_windows(st):
        for t in range(s.touched_used(st)):
            own.follow_all_anchors(st, s.touched(st, t))
        find_lost_extremes(st)
    for t in range(s.touched_used(st)):
        if s.touched_models(st, t):
            read_touched_values(st, t)
    for model in range(s.models(st)):
        scores.move_cuts(st, model, 1)


@step
def find_rescored(st: int, model: int) -> None:
    """(5): mark everybody whose score the cuts in force change."""
    if s.cuts_known(st, model) == 0:
        return
    measures = s.rescore_all(st, model)
    if measures:
        s.set_rescore_all(st, model, 0)
        scores.settle_reach(st, model)
        for c in range(s.customers_used(st)):
            if scores.differs(st, c, model, measures):
                mark_model(st, c, model)
        return
    for i in range(s.model_bins_r(st, model) - 1):
        at = model * scores.CUTS + i
        now = scores.reach(st, model, i, s.clock(st), s.days_total(st, model))
        place, before = scores.place_in_sorted(st, model, now), s.reach_place(st, at)
        s.set_reach_now(st, at, now)
        s.set_reach_place(st, at, place)
        for k in range(min(place, before), max(place, before)):
            mark_model(st, s.sorted_recent(st, s.sorted_first(st, model) + k) % scores.PACK, model)


@inlined
def mark_model(st: int, c: int, model: int) -> None:
    """Have a customer scored again."""
    t = touch(st, c)
    s.set_touched_models(st, t, s.touched_models(st, t) | (1 << model))


@step
def judge_touched(st: int, opens: bool) -> int:
    """(6): judge whom the minute touched or a cut scores otherwise; return what is lacking, 0 when done.

    opens: a minute opens, so what they set off is put aside for (7).
    """
    if s.stage(st) == PREPARE:
        for model in range(s.models(st)):
            find_rescored(st, model)
        sort_touched(st)
        s.set_cursor(st, 0)
        s.set_stage(st, JUDGE)
    if s.stage(st) == JUDGE:
        while s.cursor(st) < s.touched_used(st):
            lack = lacks_for_judging(st, 1)
            if lack:
                return lack
            judge(st, s.cursor(st))
            if opens:
                due.put_occasions(st, s.touched(st, s.cursor(st)))
            else:
                take_occasions(st, s.touched(st, s.cursor(st)))
            s.set_cursor(st, s.cursor(st) + 1)
        clear_touched(st)
        s.set_stage(st, COLLECT)
    return 0


@step
def judge_rescored(st: int) -> int:
    """As (6), when cut points come amid the records of a minute."""
    lack = judge_touched(st, False)
    if lack == 0:
        s.set_stage(st, PREPARE)
    return lack


@step
def close_all(st: int) -> int:
    """(6), (7): judge whom the minute touched, decide what is due; return what is lacking, 0 when done."""
    lack = judge_touched(st, True)
    if lack:
        return lack
    if s.stage(st) == COLLECT:
        due.collect_schedules(st)
        due.arrange(st)
        s.set_stage(st, DECIDE)
    lack = due.decide_all(st)
    if lack == 0:
        s.set_stage(st, PREPARE)
    return lack
