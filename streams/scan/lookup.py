"""Looking values up once a batch has been read, many at a time.

A look-up waits for three places of memory, each of which tells where the next is: slot, record, bytes. Each
is asked for many values at once before any is read, so that they come together.
"""

from __future__ import annotations

from typing import Any

from streams.scan.jit import inlined
from streams.scan.tokens import code_of, mark_of, place_of
from streams.scan.words import ask, get, put

WAITING = -3  # in ``codes``: a value that is still to be looked up
SIZE_BITS = 13  # of a number of bytes (`streams.scan.tokens.LONGEST`)
_SIZE = (1 << SIZE_BITS) - 1
_AHEAD = 8  # values: more places than are on their way at once


@inlined
def put_off(line: int, at: int, size: int, numbers: Any, codes: Any) -> None:
    """Note that the value text[at : at + size] of element ``line`` is to be looked up."""
    put(numbers, line, at << SIZE_BITS | size)
    put(codes, line, WAITING)


@inlined
def collect(
    text: Any, first: int, width: int, numbers: Any, codes: Any, slots: Any, mask: int, waiting: Any,
    count: int,
) -> int:  # fmt: skip
    """Add a message's values to the ``count`` that wait, and ask for their slots; return how many wait now.

    waiting: two words for each value, its element and its mark.
    """
    for line in range(first, first + width):
        if get(codes, line) == WAITING:
            value = get(numbers, line)
            mark = mark_of(text, value >> SIZE_BITS, value & _SIZE)
            ask(slots, (mark & mask) << 3)
            put(waiting, 2 * count, line)
            put(waiting, 2 * count + 1, mark)
            count += 1
    return count


@inlined
def look_up(
    text: Any, numbers: Any, codes: Any, waiting: Any, count: int, slots: Any, mask: int, records: Any,
    arena: Any, used: Any,
) -> None:  # fmt: skip
    """Set the codes of all values that wait, in their order."""
    for k in range(count):
        code = place_of(get(slots, get(waiting, 2 * k + 1) & mask))
        if code >= 0:
            ask(records, code << 4)
    for k in range(count + _AHEAD):
        if k < count:
            code = place_of(get(slots, get(waiting, 2 * k + 1) & mask))
            if code >= 0:
                ask(arena, get(records, 2 * code + 1) >> 16)
        if k >= _AHEAD:
            line, mark = get(waiting, 2 * (k - _AHEAD)), get(waiting, 2 * (k - _AHEAD) + 1)
            value = get(numbers, line)
            at = value >> SIZE_BITS
            code = code_of(text, at, at + (value & _SIZE), mark, slots, mask, records, arena, used)
            put(codes, line, code)
