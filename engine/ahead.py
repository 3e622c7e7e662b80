"""Looking ahead in a batch: what the next records need is brought into the cache before their turn.

A change needs a dozen places of memory, of which one says where the next is: hash table, customer, list, row.
Each is asked for a record later than the one that it hangs on, while the records before are applied; so
hardly any is waited for. Nothing is changed by it, and a guess that proves wrong costs its fetch.
"""

from __future__ import annotations

from engine import state as s
from engine.columns import ask
from engine.jit import inlined, step
from engine.row_step import DELETE, MINUTE_US
from profiles import customers, directory, distinct, lists, rows

STAGES = 5  # records ahead at which the first stage asks
SHORTEST = 3  # records of a batch for which looking ahead is worth while
LINE = 64  # bytes that come together
ROWS = 0  # the kind of a record (engine.batch)

_customer_slot, _entry_slot = ask("customer_slot"), ask("entry_slot")
_customer, _entry, _position = ask("customer_low"), ask("entry_low"), ask("entry_position")
_entry_rest, _entry_high = ask("entry_rest"), ask("entry_high")
_list, _place, _minute_head = ask("list_start"), ask("place"), ask("minute_head")
_slot, _tally, _tags, _until, _rfm = ask("slot"), ask("tally"), ask("truth"), ask("until"), ask("recent")
_distinct = ask("distinct_value")
_row, _row_pass, _narrow, _wide = ask("row_minute"), ask("row_pass"), ask("narrow_value"), ask("wide_value")


@step
def begin(st: int, first: int, count: int) -> int:
    """Look ahead from before the first record that is applied; return where looking ahead is to end."""
    if count - first < SHORTEST:
        return first
    for i in range(first - STAGES, first):
        look_ahead(st, i, first, count)
    return count


@step
def look_ahead(st: int, i: int, first: int, count: int) -> None:
    """Go on for the records behind batch index i, of first .. count - 1, each by its stage.

    What a stage leaves to the next (ahead_*) is of the same call, so that its numbers are in use.
    """
    if first <= i + 5 < count and s.b_kind(st, i + 5) == ROWS:
        ask_tables(st, i + 5)
    if first <= i + 4 < count and s.b_kind(st, i + 4) == ROWS:
        ask_records(st, i + 4)
    if first <= i + 3 < count and s.b_kind(st, i + 3) == ROWS:
        ask_profile(st, i + 3)
    if first <= i + 2 < count and s.b_kind(st, i + 2) == ROWS:
        ask_lists(st, i + 2)
    if first <= i + 1 < count and s.b_kind(st, i + 1) == ROWS:
        ask_last_row(st, i + 1)


@inlined
def ring(i: int) -> int:
    """Return the place in the columns ahead_* of batch index i."""
    return i & (s.AHEAD - 1)


@inlined
def ask_tables(st: int, i: int) -> None:
    """The hash tables, where customer and entry are searched for."""
    _customer_slot(st, customers.home(st, s.b_customer_high(st, i), s.b_customer_low(st, i)))
    _entry_slot(st, directory.home(st, s.b_source(st, i), s.b_key_high(st, i), s.b_key_low(st, i)))


@inlined
def ask_records(st: int, i: int) -> None:
    """The customer who stands first where this one is searched for; the entry, as its mark tells."""
    c = s.customer_slot(st, customers.home(st, s.b_customer_high(st, i), s.b_customer_low(st, i))) - 1
    if c >= 0:
        _customer(st, c)
    e = directory.likely_entry(st, s.b_source(st, i), s.b_key_high(st, i), s.b_key_low(st, i))
    s.set_ahead_entry(st, ring(i), e)
    if e >= 0:
        _entry(st, e)
        if s.wide_positions_now(st):
            _position(st, e)
        if s.long_keys_now(st):
            _entry_rest(st, e)
        if s.wide_keys_now(st):
            _entry_high(st, e)


@inlined
def ask_profile(st: int, i: int) -> None:
    """What is kept of the customer; the row that the entry has; where the new row's minute is indexed."""
    c = customers.find_customer(st, s.b_customer_high(st, i), s.b_customer_low(st, i))
    s.set_ahead_customer(st, ring(i), c)
    if c >= 0:
        _list(st, c * s.sources(st) + s.b_source(st, i))
        for k in range(0, s.slots(st), LINE // 8):
            _slot(st, c * s.slots(st) + k)
        for k in range(0, s.tallies(st), LINE // 4):
            _tally(st, c * s.tallies(st) + k)
        if s.tag_words(st):
            _tags(st, c * s.tag_words(st))
        if s.ends(st):
            _until(st, c * s.ends(st))
        if s.models(st):
            _rfm(st, c * s.models(st))
    e = s.ahead_entry(st, ring(i))
    row = directory.row_of(st, e) if e >= 0 else -1
    if row >= 0:
        ask_row(st, row)
    _minute_head(st, rows.head_place(st, s.b_source(st, i), s.b_event_us(st, i) // MINUTE_US))


@inlined
def ask_row(st: int, row: int) -> None:
    """A row that is to be taken back."""
    _row(st, row)
    _row_pass(st, row * s.row_words(st))
    if s.wide_values_now(st):
        _wide(st, row * s.row_values(st))
    else:
        _narrow(st, row * s.row_values(st))


@inlined
def ask_lists(st: int, i: int) -> None:
    """Both ends of the customer's list; the neighbours in the minute index; where values are counted."""
    c = s.ahead_customer(st, ring(i))
    if c >= 0:
        h = c * s.sources(st) + s.b_source(st, i)
        if s.list_size(st, h):
            _place(st, s.list_start(st, h))
            _place(st, s.list_start(st, h) + s.list_size(st, h) - 1)
        ask_counted(st, i, c, s.b_source(st, i))
    after = s.minute_head(st, rows.head_place(st, s.b_source(st, i), s.b_event_us(st, i) // MINUTE_US))
    if after:
        _row(st, after - 1)
    e = s.ahead_entry(st, ring(i))
    row = directory.row_of(st, e) if e >= 0 else -1
    if row >= 0 and s.b_op(st, i) == DELETE:
        if s.row_next(st, row) > 0:
            _row(st, s.row_next(st, row) - 1)
        if s.row_previous(st, row) > 0:
            _row(st, s.row_previous(st, row) - 1)


@inlined
def ask_last_row(st: int, i: int) -> None:
    """The customer's last row, behind which a new one mostly goes."""
    c = s.ahead_customer(st, ring(i))
    if c >= 0:
        h = c * s.sources(st) + s.b_source(st, i)
        if s.list_size(st, h):
            _row(st, lists.row_at(st, h, s.list_size(st, h) - 1))


@inlined
def ask_counted(st: int, i: int, c: int, source: int) -> None:
    """Where customer c's different values are counted."""
    for k in range(s.source_distinct(st, source), s.source_distinct(st, source + 1)):
        m = s.distinct_of(st, k)
        place = s.metric_value(st, m)
        if place >= 0:
            _distinct(st, distinct.home(st, c, m, s.b_value(st, i * s.row_values(st) + place)))
