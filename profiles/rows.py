"""The rows that windows still count or will count: storage, and the index by event minute.

The minute index holds, for each source and event minute within the reach of any finite window, the rows of
that minute as a linked list; a row beyond that reach counts only in windows that never end.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import lists
from profiles.halves import fits_half

NOT_LINKED = -1


@inlined
def value(st: int, at: int) -> int:
    """Return a value of a row; at = row * row_values + place."""
    return s.wide_value(st, at) if s.wide_values_now(st) else s.narrow_value(st, at)


@inlined
def set_value(st: int, at: int, to: int) -> None:
    """Keep a value of a row; the batch's values have been found to fit (`values_fit`)."""
    if s.wide_values_now(st):
        s.set_wide_value(st, at, to)
    else:
        s.set_narrow_value(st, at, to)


@inlined
def values_fit(st: int, i: int) -> bool:
    """Whether the values of batch index i fit the columns of rows as they are now."""
    if s.wide_values_now(st):
        return True
    width = s.row_values(st)
    for at in range(i * width, (i + 1) * width):
        number = s.b_value(st, at)
        if not fits_half(number):
            return False
    return True


@step
def store_row(st: int, source: int, c: int, e: int, minute: int, micro: int) -> int:
    """Keep a row; return its number. The caller sets values, ``row_pass`` and the entry's row."""
    row = s.rows_free(st) - 1
    if row >= 0:
        s.set_rows_free(st, s.row_next(st, row))
    else:
        row = s.rows_used(st)
        s.set_rows_used(st, row + 1)
    s.set_rows_kept(st, s.rows_kept(st) + 1)
    s.set_row_minute(st, row, minute)
    s.set_row_micro(st, row, micro)
    s.set_row_customer(st, row, c)
    s.set_row_entry(st, row, e)
    link(st, row, source, minute)
    lists.insert_row(st, c * s.sources(st) + source, row)
    return row


@inlined
def set_values(st: int, row: int, i: int) -> None:
    """Give a row the values at batch index i."""
    width = s.row_values(st)
    for j in range(width):
        set_value(st, row * width + j, s.b_value(st, i * width + j))


@step
def free_row(st: int, row: int, source: int) -> None:
    """Forget a row; its accumulators have been cleared and its entry is the caller's."""
    lists.remove_row(st, s.row_customer(st, row) * s.sources(st) + source, row)
    unlink(st, row, source)
    s.set_row_next(st, row, s.rows_free(st))
    s.set_rows_free(st, row + 1)
    s.set_rows_kept(st, s.rows_kept(st) - 1)


@inlined
def head_place(st: int, source: int, minute: int) -> int:
    """Return where the first row of (source, minute) is noted."""
    return (minute & s.ring_mask(st)) * s.sources(st) + source


@inlined
def in_reach(st: int, minute: int) -> bool:
    """Whether the minute index holds this minute at the present clock."""
    return minute > s.clock(st) - s.ring_reach(st)


@step
def count_of_minute(st: int, source: int, minute: int) -> int:
    """Return how many rows stand at a minute's place of the index (a few may be of other minutes)."""
    following, count = s.minute_head(st, head_place(st, source, minute)), 0
    while following:
        count += 1
        following = s.row_next(st, following - 1)
    return count


@step
def link(st: int, row: int, source: int, minute: int) -> None:
    """Enter a row into the minute index, if any finite window can still reach it."""
    if not in_reach(st, minute):
        s.set_row_previous(st, row, NOT_LINKED)
        s.set_row_next(st, row, 0)
        return
    at = head_place(st, source, minute)
    first = s.minute_head(st, at)
    s.set_row_next(st, row, first)
    s.set_row_previous(st, row, 0)
    if first:
        s.set_row_previous(st, first - 1, row + 1)
    s.set_minute_head(st, at, row + 1)


@step
def unlink(st: int, row: int, source: int) -> None:
    """Take a row out of the minute index."""
    before, after = s.row_previous(st, row), s.row_next(st, row)
    if before == NOT_LINKED:
        return
    if before:
        s.set_row_next(st, before - 1, after)
    else:
        s.set_minute_head(st, head_place(st, source, s.row_minute(st, row)), after)
    if after:
        s.set_row_previous(st, after - 1, before)
    s.set_row_previous(st, row, NOT_LINKED)
