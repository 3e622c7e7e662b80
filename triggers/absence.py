"""A happened and B did not (semantics D1, D3), and B's source would have said so (D4)."""

from __future__ import annotations

from engine import state as s
from engine.effects import CONTRADICTED, REFUSED, emit_decision
from engine.jit import inlined, step
from profiles import directory, facts, lists, timers
from profiles.directory import find_entry
from rules.evaluate import is_true
from triggers.decide import CAUSE, condition_holds
from triggers.freshness import awaited_source, is_stale
from triggers.guards import SOURCE_STALE, complete, conclude
from triggers.hold import drop_hold


@step
def watch(st: int, trigger: int, c: int, i: int, minute: int) -> None:
    """A's row has come (batch index i, event minute): wait for what should follow it."""
    if s.mode_now(st) != 1 or s.trigger_paused(st, trigger):
        return
    where = s.trigger_where(st, trigger)
    if where >= 0 and not is_true(st, where, c, i):
        return
    due = minute + s.trigger_within(st, trigger) + 1
    if due <= s.clock(st) <= due + s.trigger_max_age(st, trigger) and is_stale(
        st, awaited_source(st, trigger)
    ):
        wait_for_source(st, trigger, c, due, s.b_key_high(st, i), s.b_key_low(st, i))
    elif due <= s.clock(st):
        e = find_entry(st, s.trigger_after(st, trigger), s.b_key_high(st, i), s.b_key_low(st, i))
        decide(st, trigger, c, e, minute)  # from the record: a row this old may not be kept
    else:
        timers.start(st, due, timers.ABSENCE, trigger, c, s.b_key_high(st, i), s.b_key_low(st, i))


@inlined
def wait_for_source(st: int, trigger: int, c: int, due: int, high: int, low: int) -> None:
    """B's source is stale: look again when it is fresh, or when the instance, due at ``due``, is too old."""
    last = due + s.trigger_max_age(st, trigger) + 1
    timers.start(st, last, timers.SOURCE_STALE, trigger, c, high, low)


@step
def fall_due(st: int, trigger: int, c: int, high: int, low: int, since: int) -> None:
    """An instance has been due since a minute: decide unless A was taken back, changed or moved, or B has
    come; wait while B's source is stale."""
    e = find_entry(st, s.trigger_after(st, trigger), high, low)
    row = directory.row_of(st, e) if e >= 0 else -1
    if row < 0 or directory.is_changed(st, e):
        return
    due = s.row_minute(st, row) + s.trigger_within(st, trigger) + 1
    if s.row_customer(st, row) != c or due != since:
        return  # the timer of an instance that was withdrawn
    if is_decided(st, trigger, c, e):
        return
    if not is_stale(st, awaited_source(st, trigger)):
        decide(st, trigger, c, e, s.row_minute(st, row))
    elif s.clock(st) - due <= s.trigger_max_age(st, trigger):
        wait_for_source(st, trigger, c, due, high, low)
    else:
        refuse_stale(st, trigger, c, e, s.row_minute(st, row))


@step
def is_decided(st: int, trigger: int, c: int, e: int) -> bool:
    """Whether the instance decided last is this one: A deleted and inserted again has two timers."""
    fact = facts.find(st, c, facts.ABSENT, trigger)
    if fact < 0:
        return False
    if facts.value(st, fact, 2) != directory.high_half(st, e):
        return False
    if facts.value(st, fact, 3) != directory.key_low(st, e):
        return False
    if facts.value(st, fact, 4) != directory.epoch_of(st, e):
        return False
    if facts.value(st, fact, 5) != directory.position_of(st, e):
        return False
    return facts.value(st, fact, 6) == directory.offset_of(st, e)


@step
def decide(st: int, trigger: int, c: int, e: int, minute: int) -> None:
    """Decide the instance of the row A of entry e, of that event minute, unless B has come.

    One that is too late to be acted upon does not ask for B, whose rows need not be kept so long (D1).
    """
    due = minute + s.trigger_within(st, trigger) + 1
    too_late = s.clock(st) - due > s.trigger_max_age(st, trigger)
    if (not too_late and count_of(st, trigger, c, minute)) or not condition_holds(st, trigger, c, -1):
        return
    n = conclude(st, trigger, c, due, True)
    note_cause(st, trigger, c, e, minute, n)
    complete(st, n, due)


@step
def refuse_stale(st: int, trigger: int, c: int, e: int, minute: int) -> None:
    """B's source has stayed stale until the instance of the row A of entry e, of that event minute, was
    too old: refuse it, unless B has come all the same."""
    if count_of(st, trigger, c, minute) or not condition_holds(st, trigger, c, -1):
        return
    source = awaited_source(st, trigger)
    fresh, limit = s.fresh_until(st, source), s.source_stale(st, source)
    n = emit_decision(st, c, trigger, REFUSED, SOURCE_STALE, fresh, limit)
    note_cause(st, trigger, c, e, minute, n)


@step
def note_cause(st: int, trigger: int, c: int, e: int, minute: int, n: int) -> None:
    """Note the row A of entry e as decision n's cause, and the instance as the last decided."""
    values = (
        s.trigger_after(st, trigger), directory.high_half(st, e), directory.key_low(st, e),
        directory.epoch_of(st, e), directory.position_of(st, e), directory.offset_of(st, e), s.clock(st),
    )  # fmt: skip
    for j in range(CAUSE):
        s.set_d_cause(st, n * CAUSE + j, values[j])
    fact = facts.find_or_add(st, c, facts.ABSENT, trigger)
    facts.set_value(st, fact, 0, minute)
    for j in range(CAUSE - 1):
        facts.set_value(st, fact, 1 + j, values[j])


@step
def count_of(st: int, trigger: int, c: int, minute: int) -> bool:
    """Whether a row of B is dated in [minute, minute + within]."""
    m = s.trigger_of(st, trigger)
    h = c * s.sources(st) + s.metric_source(st, m)
    bit = s.metric_bit(st, m)
    last = minute + s.trigger_within(st, trigger)
    for k in range(lists.first_from(st, h, minute), s.list_size(st, h)):
        row = lists.row_at(st, h, k)
        if s.row_minute(st, row) > last:
            return False
        if s.row_pass(st, row * s.row_words(st) + bit // s.ROW_WORD) >> (bit % s.ROW_WORD) & 1:
            return True
    return False


@step
def refute(st: int, trigger: int, c: int, minute: int, row: int) -> None:
    """A row of B has come: if the last decided instance rested on its absence, say so (D3)."""
    bit = s.metric_bit(st, s.trigger_of(st, trigger))
    if s.row_pass(st, row * s.row_words(st) + bit // s.ROW_WORD) >> (bit % s.ROW_WORD) & 1 == 0:
        return
    fact = facts.find(st, c, facts.ABSENT, trigger)
    if fact < 0:
        return
    first = facts.value(st, fact, 0)
    if first <= minute <= first + s.trigger_within(st, trigger):
        n = emit_decision(st, c, trigger, CONTRADICTED, 0, minute, 0)
        for j in range(CAUSE - 1):
            s.set_d_cause(st, n * CAUSE + j, facts.value(st, fact, 1 + j))
        s.set_d_cause(st, n * CAUSE + 6, s.clock(st))
        facts.remove(st, fact)
        drop_hold(st, trigger, c)
