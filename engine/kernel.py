"""What Python calls: the two loops over a batch and over minutes, and the growth of hash tables.

Each function takes the address table of a partition's state (`engine.memory`) and works on that alone.
"""

from __future__ import annotations

from engine import ahead
from engine import guard_state as g
from engine import minute as opening
from engine import state as s
from engine.erase import erase
from engine.jit import entry, step
from engine.judge import judge
from engine.room import ROW, lacks_for_judging, lacks_for_opening, lacks_for_row, lacks_width
from engine.row_step import apply_row
from engine.touched import clear_touched, note_changed, touch, touch_everything, touch_tag
from profiles import customers, directory, distinct, facts, intervals, rows, timers
from rfm import population, scores
from rules.evaluate import run
from tags.candidate import set_by_hand
from triggers import due, freshness
from triggers.caps import give_back, mark_of
from triggers.decide import take_occasions
from triggers.guards import set_consent

FAILURES = ("", "a sum left the range of 64-bit whole numbers")
ROWS, TICK, MANUAL, CONSENT, FRESH, ERASE, CUTS, SWITCH, RECEIPT = range(9)


@entry
def apply(st: int, first: int, count: int, first_step: int) -> int:
    """Apply the batch's records from index ``first`` on; return the index of the first not applied.

    Stops where the clock must advance first, where room is lacking (`lacking`) and on a failure.
    """
    s.set_lacking(st, 0)
    end = ahead.begin(st, first, count)
    for i in range(first, count):
        ahead.look_ahead(st, i, first, end)
        if s.b_minute(st, i) > s.clock(st) or s.b_mode(st, i) != s.mode_now(st) or s.failure(st):
            return i
        kind = s.b_kind(st, i)
        c = customers.find_customer(st, s.b_customer_high(st, i), s.b_customer_low(st, i))
        lack = lacks_for_record(st, i, kind, c)
        if lack:
            s.set_lacking(st, lack)
            return i
        s.set_step_now(st, first_step + i)
        if s.mode_now(st) == 1:
            s.set_last_live(st, s.clock(st))
        else:
            s.set_last_import(st, s.clock(st))
        if kind == ROWS:
            apply_row(st, i, c)
        elif kind == MANUAL or kind == CONSENT:
            apply_control(st, i, kind, c)
        elif kind == FRESH:
            s.set_lacking(st, apply_freshness(st, i))
            if s.lacking(st):
                return i
        elif kind == ERASE:
            erase(st, c)
        elif kind == SWITCH:
            g.set_switch_off(st, s.b_arg_a(st, i), s.b_arg_b(st, i))
        elif kind == RECEIPT and c >= 0:
            give_back(st, c, s.b_arg_b(st, i), receipt_mark(st, i))
    return count


@step
def lacks_for_record(st: int, i: int, kind: int, c: int) -> int:
    """Return the domain that the record at batch index i, of customer c or -1, could overrun, or 0."""
    if kind == ROWS:
        if s.row_capacity(st) == 0:
            return ROW
        lack = lacks_width(st, i)
        if lack:
            return lack
    elif kind == TICK or (kind >= FRESH and kind != ERASE):
        return 0
    return lacks_for_row(st, s.b_source(st, i), c)


@step
def receipt_mark(st: int, i: int) -> int:
    """Return the mark of the decision that the receipt at batch index i speaks of (`triggers.caps`)."""
    trigger = s.b_arg_a(st, i)
    if s.b_arg_c(st, i):  # its cause was a minute
        return mark_of(trigger, 0, s.b_arg_c(st, i), 0, 0, 0)
    return mark_of(
        trigger, s.b_key_high(st, i), s.b_key_low(st, i), s.b_epoch(st, i), s.b_position(st, i),
        s.b_offset(st, i),
    )  # fmt: skip


@step
def apply_freshness(st: int, i: int) -> int:
    """A source was heard of: decide the absences that waited for it (D4).

    Returns the domain that is lacking, to be called again and go on, or 0 when done.
    """
    if s.due_used(st) == 0 and freshness.hear(st, s.b_arg_a(st, i), s.b_arg_b(st, i)):
        due.collect_waiting(st)
    return due.decide_all(st)


@step
def apply_control(st: int, i: int, kind: int, c: int) -> None:
    """Apply a tag set by hand, or a consent; c is its customer, or -1."""
    if c < 0:
        c = customers.add_customer(st, s.b_customer_high(st, i), s.b_customer_low(st, i))
        touch_everything(st, touch(st, c))
    if kind == CONSENT:
        set_consent(st, c, s.b_arg_a(st, i), s.b_arg_b(st, i), s.b_arg_c(st, i))
        note_changed(st, c)
    else:
        set_by_hand(st, c, s.b_arg_a(st, i), s.b_arg_b(st, i), s.b_arg_c(st, i))
        touch_tag(st, touch(st, c), s.b_arg_a(st, i))
    if s.touched_used(st):
        judge(st, 0)
        take_occasions(st, s.touched(st, 0))
        clear_touched(st)


@entry
def begin(st: int, minute: int) -> None:
    """Set the clock of an empty partition."""
    begin_at(st, minute)


@entry
def peek(st: int, last: int) -> int:
    """Return the first minute after the clock, up to ``last``, that could change anything; or last + 1."""
    now = s.clock(st)
    for model in range(s.models(st)):
        if s.population_changed(st, model):
            return min(now + 1, last + 1)
    last = min(last, timers.next_minute(st) - 1)
    for trigger in range(s.triggers(st)):
        if s.trigger_next(st, trigger) > now:
            last = min(last, s.trigger_next(st, trigger) - 1)
    for u in range(5):
        last = min(last, s.calendar_start(st, s.unit_now(st, u) + 1) - 1) if has_unit(st, u) else last
    for source in range(s.sources(st)):
        for w in range(s.source_window(st, source), s.source_window(st, source + 1)):
            last = first_edge(st, source, w, now, last)
    for model in range(s.models(st)):
        last = scores.next_crossing(st, model, last) - 1
    return last + 1


@step
def has_unit(st: int, u: int) -> bool:
    """Whether any window hangs on a calendar unit."""
    for w in range(s.windows(st)):
        if s.window_kind(st, w) == intervals.CALENDAR and s.window_unit(st, w) == u:
            return True
    return False


@step
def first_edge(st: int, source: int, w: int, now: int, last: int) -> int:
    """Return the minute before the first at which a row of the source meets an edge of window w, or last."""
    high = s.window_high(st, w)
    if s.window_kind(st, w) != intervals.CALENDAR or high == now + 1:
        for minute in range(now + 1, last + 1):
            if s.minute_head(st, rows.head_place(st, source, high + minute - now - 1)):
                last = minute - 1
                break
    if s.window_kind(st, w) == intervals.TRAILING or s.window_kind(st, w) == intervals.OWN:
        low = s.window_low(st, w)
        for minute in range(now + 1, last + 1):
            if s.minute_head(st, rows.head_place(st, source, low + minute - now - 1)):
                return minute - 1
    return last


@entry
def skip_to(st: int, minute: int) -> None:
    """Move the clock over minutes that change nothing (`peek`)."""
    minutes = minute - s.clock(st)
    begin_at(st, minute)
    for model in range(s.models(st)):
        scores.move_cuts(st, model, minutes)
        if s.cuts_known(st, model):
            scores.settle_reach(st, model)


@step
def begin_at(st: int, minute: int) -> None:
    """Set the clock and every window."""
    s.set_clock(st, minute)
    intervals.move_units(st, minute)
    for w in range(s.windows(st)):
        intervals.set_window(st, w, minute)


@entry
def open_minute(st: int, minute: int) -> int:
    """Steps (1) to (4) of advance(minute); return the domain that is lacking, and nothing done, or 0."""
    lack = lacks_for_opening(st, minute)
    if lack == 0:
        opening.open_all(st, minute)
    return lack


@entry
def close_minute(st: int) -> int:
    """Steps (6) and (7); return the domain that is lacking, or 0 when done."""
    return opening.close_all(st)


@entry
def rescore(st: int) -> int:
    """Judge whom cut points that are in force since just now score otherwise; return the domain that is
    lacking, or 0 when done."""
    return opening.judge_rescored(st)


@entry
def activate(st: int) -> int:
    """Judge every tag of every customer once, and decide the absences that need not wait for their source
    any more (G4); return the domain that is lacking, or 0 when done."""
    while s.cursor(st) < s.customers_used(st):
        lack = lacks_for_judging(st, 1)
        if lack:
            return lack
        t = touch(st, s.cursor(st))
        touch_everything(st, t)
        s.set_touched_models(st, t, (1 << s.models(st)) - 1)
        judge(st, t)
        take_occasions(st, s.touched(st, t))
        clear_touched(st)
        s.set_cursor(st, s.cursor(st) + 1)
    if s.cursor(st) == s.customers_used(st):
        due.collect_waiting(st)
        s.set_cursor(st, s.cursor(st) + 1)
    return due.decide_all(st)


@entry
def collect(st: int, model: int) -> int:
    """Write the population's values into the columns gathered_*; return its size."""
    return population.collect(st, model)


@entry
def place_customers(st: int) -> None:
    """Fill an emptied, larger hash table of customers."""
    for c in range(s.customers_used(st)):
        if not s.customer_gone(st, c):
            customers.place_customer(st, c)


@entry
def forget_entries(st: int) -> int:
    """Free directory entries beyond their horizon; return how many (the table must be filled anew)."""
    return directory.forget_old_entries(st)


@entry
def place_entries(st: int) -> None:
    """Fill an emptied hash table of directory entries."""
    for e in range(s.entries_used(st)):
        if s.entry_source(st, e) >= 0:
            directory.place_entry(st, e)


@entry
def refill_distinct(st: int, count: int) -> None:
    """Enter the counted values of the old table, given as columns, into a larger one."""
    for k in range(count):
        distinct.put_again(
            st, s.old_customer(st, k), s.old_kind(st, k), s.old_value(st, k), s.old_count(st, k)
        )


@entry
def refill_facts(st: int, count: int) -> None:
    """Enter the facts of the old table, given as columns, into a larger one."""
    s.set_facts_live(st, 0)
    for k in range(count):
        kind = s.old_kind(st, k)
        i = facts.find_or_add(st, s.old_customer(st, k), kind // facts.KIND, kind % facts.KIND)
        for j in range(s.FACT_VALUES):
            facts.set_value(st, i, j, s.old_value(st, k * s.FACT_VALUES + j))


@entry
def start_timer(st: int, minute: int, kind: int, number: int, c: int, high: int, low: int) -> None:
    """Set a timer from outside; the caller has made room."""
    timers.start(st, minute, kind, number, c, high, low)


@entry
def put_fact(st: int, c: int, kind: int, number: int) -> int:
    """Return the place of a fact, made where there was none; the caller has made room."""
    return facts.find_or_add(st, c, kind, number)


@entry
def find_number(st: int, high: int, low: int) -> int:
    """Return the number of the customer with an id, or -1."""
    return customers.find_customer(st, high, low)


@entry
def evaluate(st: int, program: int, c: int) -> None:
    """Run a program for a customer; its value is left at the bottom of the stack."""
    run(st, program, c, -1)
