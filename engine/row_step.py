"""One row of a source: the steps of a change, in order (semantics T3, W1 to W7)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from engine.judge import judge, read_touched_values
from engine.touched import clear_touched, touch, touch_bits, touch_everything
from profiles import directory, metrics, rows
from profiles.customers import add_customer, id_less
from profiles.extremes import find_lost_extremes
from profiles.intervals import counted_bits, is_awaited
from profiles.own import follow_anchors
from rules.evaluate import is_true
from triggers import absence, occasions
from triggers.decide import take_occasions

UPSERT, INSERT, UPDATE, DELETE, READ, MOVE_OUT = range(6)
MINUTE_US = 60_000_000
NOT_KEPT = -1


@step
def apply_row(st: int, i: int, c: int) -> None:
    """Apply the change at batch index i, of customer c or -1: retract the state's row, apply the new one,
    judge.
    """
    source, high, low = s.b_source(st, i), s.b_key_high(st, i), s.b_key_low(st, i)
    epoch, position, offset = s.b_epoch(st, i), s.b_position(st, i), s.b_offset(st, i)
    e = directory.find_entry(st, source, high, low)
    known = e
    if e >= 0 and directory.forgotten(st, e):
        directory.renew(st, e)
        known = -1
    elif e >= 0 and not directory.is_newer(st, e, epoch, position, offset, s.b_op(st, i) != MOVE_OUT):
        s.set_duplicates(st, s.duplicates(st) + 1)
        return
    if c < 0:
        c = add_customer(st, s.b_customer_high(st, i), s.b_customer_low(st, i))
        touch_everything(st, touch(st, c))
    kind = event_kind(st, i, known)
    if e < 0:
        e = directory.add_entry(st, source, high, low)
    directory.set_position(st, e, epoch, position, offset)
    goes = s.b_op(st, i) == DELETE or s.b_op(st, i) == MOVE_OUT
    minute = s.b_event_us(st, i) // MINUTE_US
    row, owner = directory.row_of(st, e), -1
    if row >= 0:
        owner = s.row_customer(st, row)
        change_row(st, row, source, owner, s.row_minute(st, row), -1)
        if goes or not stands_at(st, row, i, c, minute):
            rows.free_row(st, row, source)
            row = NOT_KEPT
    if goes:
        directory.bury(st, e, directory.DELETED if s.b_op(st, i) == DELETE else directory.MOVED)
    else:
        row = keep_row(st, i, source, c, e, row, minute, kind != occasions.INSERT)
    if s.dirty_used(st):
        find_lost_extremes(st)
    if s.own_windows(st):
        follow_anchors(st, c, source)
        if owner >= 0 and owner != c:
            follow_anchors(st, owner, source)
        find_lost_extremes(st)
    s.set_row_now(st, i + 1)
    judge_row(st, i, c, source, minute, row, kind)
    s.set_row_now(st, 0)


@step
def event_kind(st: int, i: int, e: int) -> int:
    """Return what the row is to event triggers: INSERT, UPDATE, DELETE or 0 for none of them (D1)."""
    op = s.b_op(st, i)
    known = e >= 0 and directory.end_of(st, e) != directory.MOVED
    if op == INSERT or (op == UPSERT and e < 0):
        return occasions.INSERT
    if op == UPDATE or (op == UPSERT and known):
        return occasions.UPDATE
    if op == DELETE and known and directory.end_of(st, e) != directory.DELETED:
        return occasions.DELETE
    return 0


@inlined
def stands_at(st: int, row: int, i: int, c: int, minute: int) -> bool:
    """Whether the new row at batch index i, of the same key, has its place in list and minute where the old
    one has it."""
    if s.row_customer(st, row) != c or s.row_minute(st, row) != minute:
        return False
    return s.row_micro(st, row) == micro_of(st, i, minute)


@inlined
def micro_of(st: int, i: int, minute: int) -> int:
    """Return the microseconds into its minute at which the row at batch index i happened."""
    return s.b_event_us(st, i) - minute * MINUTE_US


@inlined
def change_row(st: int, row: int, source: int, c: int, minute: int, sign: int) -> None:
    """Apply or retract a row in every metric whose window holds it now."""
    words = s.row_words(st)
    for word in range(words):
        bits = counted_bits(st, source, c, minute, word) & s.row_pass(st, row * words + word)
        if bits:
            metrics.change(st, c, source, row, bits, word, sign)
            touch_bits(st, touch(st, c), source, bits, word)


@inlined
def keep_row(st: int, i: int, source: int, c: int, e: int, row: int, minute: int, changed: bool) -> int:
    """Store and apply the new row, unless no metric counts it or ever will; return its number.

    row: the old one, retracted, where the new one stands at its place, or -1.
    """
    if row < 0:
        row = rows.store_row(st, source, c, e, minute, micro_of(st, i, minute))
    rows.set_values(st, row, i)
    directory.set_row(st, e, row, changed)
    find_passes(st, i, source, c, row)
    if minute < s.clock(st):
        s.set_late_rows(st, s.late_rows(st) + 1)
    if not is_awaited(st, row, source, minute):
        rows.free_row(st, row, source)
        directory.bury(st, e, directory.DROPPED)
        return row  # its bits can still be read: nothing is stored before the next record
    change_row(st, row, source, c, minute, 1)
    return row


@inlined
def find_passes(st: int, i: int, source: int, c: int, row: int) -> None:
    """Set the bits of the metrics whose filter the row passes and whose column it has (M2)."""
    words, width = s.row_words(st), s.row_values(st)
    for word in range(words):
        s.set_row_pass(st, row * words + word, 0)
    for f in range(s.source_filter(st, source), s.source_filter(st, source + 1)):
        program = s.filter_program(st, f)
        if program < 0 or is_true(st, program, c, i):
            for word in range(words):
                bits = s.row_pass(st, row * words + word) | s.filter_bits(st, f * words + word)
                s.set_row_pass(st, row * words + word, bits)
    nulls = s.b_null(st, i)
    if nulls:
        for j in range(width):
            if nulls >> j & 1:
                for word in range(words):
                    bits = s.value_bits(st, (source * width + j) * words + word)
                    s.set_row_pass(st, row * words + word, s.row_pass(st, row * words + word) & ~bits)


@step
def judge_row(st: int, i: int, c: int, source: int, minute: int, row: int, kind: int) -> None:
    """Judge who was touched, in the order of ids, and then what the row itself sets off."""
    n = s.touched_used(st)
    for t in range(n):
        if s.touched_models(st, t):
            read_touched_values(st, t)
    events = kind if s.mode_now(st) == 1 else 0
    where = s.source_where(st, source)
    if events and where >= 0 and kind != occasions.DELETE and not is_true(st, where, c, i):
        events = 0  # a row that the source leaves out is no event
    s.set_event_kind(st, events)
    swapped = n == 2 and id_less(st, s.touched(st, 1), s.touched(st, 0))
    noted = False
    for k in range(n):
        t = n - 1 - k if swapped else k
        whose = s.touched(st, t)
        judge(st, t)
        if whose == c and events:
            note_events(st, i, c, source, events)
            noted = True
        take_occasions(st, whose)
    if events and not noted:
        note_events(st, i, c, source, events)
        take_occasions(st, c)
    clear_touched(st)
    if s.mode_now(st) == 1:
        if events == occasions.INSERT:
            for k in range(s.source_absence(st, source), s.source_absence(st, source + 1)):
                absence.watch(st, s.absence_after(st, k), c, i, minute)
        if row >= 0:
            for k in range(s.source_refutes(st, source), s.source_refutes(st, source + 1)):
                absence.refute(st, s.absence_of(st, k), c, minute, row)


@step
def note_events(st: int, i: int, c: int, source: int, kind: int) -> None:
    """Note the event triggers that want this kind of change and whose ``where`` the row passes."""
    for k in range(s.source_event(st, source), s.source_event(st, source + 1)):
        trigger = s.event_trigger(st, k)
        if s.trigger_operations(st, trigger) & kind == 0 or s.trigger_paused(st, trigger):
            continue
        where = s.trigger_where(st, trigger)
        if where < 0 or is_true(st, where, c, i):
            occasions.note(st, trigger, i)
