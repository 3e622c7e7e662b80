"""Envelopes of one shape into columns; what is not of that shape, or in doubt, is left to the general
decoder.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from streams.scan.jit import inlined, scan_entry
from streams.scan.lookup import collect, look_up, put_off
from streams.scan.moments import moment_us
from streams.scan.shape import AFTER, BEFORE, END, OP, PASS_OVER, POSITION
from streams.scan.tokens import LONGEST
from streams.scan.values import (
    MINUS,
    NO_NUMBER,
    POINT,
    literal_end,
    scaled_number,
    string_end,
    value_end,
    whole_end,
)
from streams.scan.words import BACKSLASH, QUOTE, address_of, byte, get, plain_end, put, same_bytes

# forms of a cell: which texts become numbers at once (LOW to HIGH); every other value is a token
TOKEN, NUMBER, DIGITS, MOMENT, SPAN = range(5)
FORM, SCALE, LOW, HIGH, IS_KEY, IS_REQUIRED, FORMS = range(7)  # columns of ``cells``, and their number
NULL, NATIVE = -1, -2  # in ``codes``, for what is no token
GENERAL, INSERT, UPDATE, DELETE, READ = range(5)  # in ``op``: what the scanner found the message to be
_N = 0x6E

Array = NDArray[Any]


@scan_entry
def scan(
    buffer: Array, begins: Array, ends: Array, rows: Array, literal_text: Array, literal_begins: Array,
    whats: Array, row_at: int, cell_forms: Array, slot_table: Array, record_table: Array,
    token_arena: Array, tokens_used: Array, waiting_table: Array, op: Array, position: Array,
    number_table: Array, code_table: Array, key_begins: Array, key_ends: Array,
) -> None:  # fmt: skip
    """Read message m = ``rows[i]``, text[begins[m] : ends[m]], into line i of the arrays from ``op`` on.

    op: int8, see above; position: int64; numbers, codes: int64, shape (rows, cells), see ``NULL`` and
    ``NATIVE``; waiting: two words for each cell; key_begins, key_ends: where the key's value stands (without
    quotes). The lines of a message that is left to the general decoder mean nothing.
    """
    text, literals, literal_at = address_of(buffer), address_of(literal_text), address_of(literal_begins)
    what, cells, key_at, key_end = (
        address_of(whats), address_of(cell_forms), address_of(key_begins), address_of(key_ends)
    )  # fmt: skip
    slots, mask, records = address_of(slot_table), len(slot_table) - 1, address_of(record_table)
    arena, used = address_of(token_arena), address_of(tokens_used)
    numbers, codes, width = address_of(number_table), address_of(code_table), len(cell_forms)
    waiting, waits = address_of(waiting_table), 0
    for i in range(len(rows)):
        op[i] = GENERAL
        at, end = begins[rows[i]], ends[rows[i]]
        old, new, found = -1, -1, GENERAL
        piece = 0
        while piece < row_at:
            at = literal_end_at(text, at, literals, literal_at, piece)
            if at < 0:
                break
            kind = get(what, piece)
            piece += 1
            if kind == PASS_OVER:
                at = value_end(text, at)
            elif kind in (BEFORE, AFTER):
                if byte(text, at) == _N:
                    at = literal_end(text, at)
                else:
                    if kind == BEFORE:
                        old = at
                    else:
                        new = at
                    at = _row(
                        text, at, i, literals, literal_at, what, row_at, cells, numbers, codes, width, key_at,
                        key_end, kind == AFTER, old,
                    )  # fmt: skip
            elif kind == OP:
                found = _operation(text, at)
                at = at + 3 if found != GENERAL else -1
            elif kind == POSITION:
                first = at
                at = whole_end(text, at)
                if at >= 0:
                    position[i] = scaled_number(text, first, at, 0)
                    if position[i] < 0:
                        at = -1
            else:  # END
                if at == end and _fits(found, old, new):
                    op[i] = found
                break
            if at < 0 or at >= end:
                break
        if op[i] != GENERAL:
            waits = collect(text, i * width, width, numbers, codes, slots, mask, waiting, waits)
    look_up(text, numbers, codes, waiting, waits, slots, mask, records, arena, used)


@inlined
def literal_end_at(text: Any, at: int, literals: Any, literal_at: Any, piece: int) -> int:
    """Return the place behind a literal that stands at ``at``, or -1."""
    first = get(literal_at, piece)
    size = get(literal_at, piece + 1) - first
    return at + size if same_bytes(text, at, literals, first, size) else -1


@inlined
def _fits(found: int, old: int, new: int) -> bool:
    """Whether a message of this operation holds the rows that it needs."""
    return old >= 0 and new < 0 if found == DELETE else new >= 0


@inlined
def _operation(text: Any, at: int) -> int:
    if byte(text, at) != QUOTE or byte(text, at + 2) != QUOTE:
        return GENERAL
    letter = byte(text, at + 1)
    if letter == 0x63:  # c
        return INSERT
    if letter == 0x75:  # u
        return UPDATE
    if letter == 0x64:  # d
        return DELETE
    return READ if letter == 0x72 else GENERAL  # r


@inlined
def _row(
    text: Any, at: int, i: int, literals: Any, literal_at: Any, what: Any, row_at: int, cells: Any,
    numbers: Any, codes: Any, width: int, key_at: Any, key_end: Any, is_new: bool, old: int,
) -> int:  # fmt: skip
    """Read a row into line i; return the place behind it, or -1. A new row must have the old one's key."""
    piece = row_at
    while True:
        at = literal_end_at(text, at, literals, literal_at, piece)
        if at < 0:
            return -1
        cell = get(what, piece)
        piece += 1
        if cell == END:
            return at
        first = at
        if cell == PASS_OVER:
            at = value_end(text, at)
        else:
            line = i * width + cell
            at = _cell(text, at, line, cells, cell * FORMS, numbers, codes)
            if (
                at >= 0
                and is_new
                and get(codes, line) == NULL
                and get(cells, cell * FORMS + IS_REQUIRED) != 0
            ):
                return -1
            if at >= 0 and get(cells, cell * FORMS + IS_KEY) != 0:
                quoted = 1 if byte(text, first) == QUOTE else 0
                first, last = first + quoted, at - quoted
                if get(codes, line) == NULL or last == first or not _is_plain(text, first, last, quoted):
                    return -1
                if is_new and old >= 0:
                    begin, size = get(key_at, i), last - first
                    if get(key_end, i) - begin != size or not same_bytes(text, first, text, begin, size):
                        return -1
                put(key_at, i, first)
                put(key_end, i, last)
        if at < 0:
            return -1


@inlined
def _is_plain(text: Any, at: int, end: int, quoted: int) -> bool:
    """Whether a value's bytes are its text: a string without escapes, or digits as Python writes them."""
    if quoted:
        return plain_end(text, at) == end
    return whole_end(text, at) == end and not (byte(text, at) == 0x2D and byte(text, at + 1) == 0x30)


@inlined
def _cell(text: Any, at: int, line: int, cells: Any, forms: int, numbers: Any, codes: Any) -> int:
    """Read one value into element ``line``; return the place behind it, or -1."""
    first, form, number = at, get(cells, forms + FORM), NO_NUMBER
    if byte(text, at) == QUOTE:
        at = plain_end(text, at + 1)
        if byte(text, at) == BACKSLASH:
            at = string_end(text, at)
        elif byte(text, at) == QUOTE:
            at += 1
            if form == MOMENT:
                number = moment_us(text, first + 1, at - 1)
            elif form == DIGITS or (form == NUMBER and _is_no_base64(text, first + 1, at - 1)):
                number = scaled_number(text, first + 1, at - 1, get(cells, forms + SCALE))
        else:
            return -1
    elif byte(text, at) == _N:
        put(codes, line, NULL)
        return literal_end(text, at)
    else:
        at = value_end(text, at)
        if at >= 0 and form in (NUMBER, DIGITS) and whole_end(text, first) == at:
            number = scaled_number(text, first, at, get(cells, forms + SCALE))
    if at < 0 or at - first > LONGEST:
        return -1
    if form == SPAN:
        number = 0
    if number >= get(cells, forms + LOW) and number <= get(cells, forms + HIGH):
        put(numbers, line, number)
        put(codes, line, NATIVE)
    else:
        put_off(line, first, at - first, numbers, codes)
    return at


@inlined
def _is_no_base64(text: Any, at: int, end: int) -> bool:
    """Whether digits are surely no base64, whose texts have 4 n characters, no point and no minus."""
    if (end - at) & 3 != 0:
        return True
    sure = False
    for place in range(at, end):
        sure |= byte(text, place) in (POINT, MINUS)
    return sure
