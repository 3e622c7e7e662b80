"""Each customer's rows of one source, as an array of row numbers sorted by (event time, key) (W9).

Arrays are blocks of 2, 3, 4, 6, 8, 12, 16 ... places of one pool. A list may leave places unused before its
first row, a *gap*, so that old rows go cheaply; the first of them holds how many they are.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles.directory import key_less

SCANNED = 64  # numbers in four cache lines: looked through sooner than one row is fetched
GAP = 64  # in a list's class: it has a gap


@inlined
def class_of(st: int, h: int) -> int:
    """Return the class of a list's block, or -1 where it has none."""
    held = s.list_class(st, h)
    return held & (GAP - 1) if held >= 0 else held


@inlined
def gap_of(st: int, h: int) -> int:
    """Return how many places of list h are unused before its first row."""
    return s.place(st, s.list_start(st, h)) if s.list_class(st, h) >= GAP else 0


@inlined
def set_gap(st: int, h: int, gap: int) -> None:
    """Note the gap of a list that has a block; the rows are moved by the caller."""
    if gap:
        s.set_place(st, s.list_start(st, h), gap)
        s.set_list_class(st, h, class_of(st, h) | GAP)
    else:
        s.set_list_class(st, h, class_of(st, h))


@inlined
def row_at(st: int, h: int, i: int) -> int:
    """Return the i-th row of list h (h = customer * sources + source)."""
    return s.place(st, s.list_start(st, h) + gap_of(st, h) + i)


@inlined
def row_less(st: int, a: int, b: int) -> bool:
    """Whether row a stands before row b of the same source: (event time, key) (W9)."""
    if s.row_minute(st, a) != s.row_minute(st, b):
        return s.row_minute(st, a) < s.row_minute(st, b)
    if s.row_micro(st, a) != s.row_micro(st, b):
        return s.row_micro(st, a) < s.row_micro(st, b)
    return key_less(st, s.row_entry(st, a), s.row_entry(st, b))


@step
def place_of(st: int, h: int, row: int) -> int:
    """Return how many rows of list h stand before ``row``: looked for from the end in growing steps, because
    hardly any row is older than many others."""
    high, back = s.list_size(st, h), 1
    low = high
    while low > 0 and not row_less(st, row_at(st, h, low - 1), row):
        high = low - 1
        low = max(0, high - back)
        back *= 2
    while low < high:
        middle = (low + high) >> 1
        if row_less(st, row_at(st, h, middle), row):
            low = middle + 1
        else:
            high = middle
    return low


@step
def index_of(st: int, h: int, row: int) -> int:
    """Return how many rows of list h stand before ``row``, which is one of them.

    Row numbers lie side by side and are searched through: to compare rows is to wait for each of them.
    """
    low, high = 0, s.list_size(st, h) - 1
    while high - low > SCANNED:
        middle = (low + high) >> 1
        if row_less(st, row_at(st, h, middle), row):
            low = middle + 1
        else:
            high = middle
    base = s.list_start(st, h) + gap_of(st, h)
    while low < high and s.place(st, base + low) != row:
        low += 1
    return low


@step
def first_from(st: int, h: int, minute: int) -> int:
    """Return how many rows of list h have an event minute before ``minute``."""
    low, high = 0, s.list_size(st, h)
    while low < high:
        middle = (low + high) >> 1
        if s.row_minute(st, row_at(st, h, middle)) < minute:
            low = middle + 1
        else:
            high = middle
    return low


@step
def insert_row(st: int, h: int, row: int) -> None:
    """Put a row into its place of list h; the pool has room (`room_needed`)."""
    at = place_of(st, h, row)
    size = s.list_size(st, h)
    capacity, gap = block_size(class_of(st, h)), gap_of(st, h)
    if gap + size >= capacity:
        if gap * 2 > capacity:
            shift_to_front(st, h)
        else:
            move_to_larger(st, h)
    base = s.list_start(st, h) + gap_of(st, h)
    for i in range(base + size, base + at, -1):
        s.set_place(st, i, s.place(st, i - 1))
    s.set_place(st, base + at, row)
    s.set_list_size(st, h, size + 1)


@step
def remove_row(st: int, h: int, row: int) -> None:
    """Take a row out of list h."""
    size = s.list_size(st, h)
    gap = gap_of(st, h)
    base = s.list_start(st, h) + gap
    if s.place(st, base) == row:
        set_gap(st, h, gap + 1)
    else:
        for i in range(base + index_of(st, h, row), base + size - 1):
            s.set_place(st, i, s.place(st, i + 1))
    s.set_list_size(st, h, size - 1)
    if size == 1:
        free_block(st, s.list_start(st, h), class_of(st, h))
        s.set_list_class(st, h, -1)


@inlined
def block_size(block_class: int) -> int:
    """Return the places of a block; 0 for no block."""
    return (2 + (block_class & 1)) << (block_class >> 1) if block_class >= 0 else 0


@inlined
def room_needed(st: int, h: int) -> int:
    """Return the most places that one insertion into list h can take from the pool."""
    return block_size(class_of(st, h) + 1)


@step
def size_of_all(st: int, c: int) -> int:
    """Return how many rows of all sources a customer has."""
    size = 0
    for source in range(s.sources(st)):
        size += s.list_size(st, c * s.sources(st) + source)
    return size


@step
def shift_to_front(st: int, h: int) -> None:
    """Close the gap before the first row."""
    start, gap = s.list_start(st, h), gap_of(st, h)
    for i in range(s.list_size(st, h)):
        s.set_place(st, start + i, s.place(st, start + gap + i))
    set_gap(st, h, 0)


@step
def move_to_larger(st: int, h: int) -> None:
    """Move list h to a block of the next class."""
    block_class = class_of(st, h) + 1
    start = take_block(st, block_class)
    old = s.list_start(st, h) + gap_of(st, h)
    for i in range(s.list_size(st, h)):
        s.set_place(st, start + i, s.place(st, old + i))
    if block_class > 0:
        free_block(st, s.list_start(st, h), block_class - 1)
    s.set_list_start(st, h, start)
    s.set_list_class(st, h, block_class)


@step
def take_block(st: int, block_class: int) -> int:
    """Take a free block of a class, or a new one from the end of the pool; return its first place."""
    first = s.place_free(st, block_class) - 1
    if first >= 0:
        s.set_place_free(st, block_class, s.place(st, first))
        return first
    first = s.list_used(st)
    s.set_list_used(st, first + block_size(block_class))
    return first


@step
def free_block(st: int, first: int, block_class: int) -> None:
    """Give a block back."""
    s.set_place(st, first, s.place_free(st, block_class))
    s.set_place_free(st, block_class, first + 1)
