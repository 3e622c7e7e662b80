"""JSON values and the texts inside them: where they end, and the numbers and moments that they are.

Functions return a place behind the value, or -1 for what only the general decoder may judge.
"""

from __future__ import annotations

from typing import Any

from streams.scan.jit import inlined
from streams.scan.words import BACKSLASH, QUOTE, byte, low_bytes, plain_end, word_at

MINUS, POINT, ZERO, NINE = 0x2D, 0x2E, 0x30, 0x39
MOST_DIGITS = 18  # of a whole number that surely fits int64
_NULL, _TRUE, _FALS = 0x6C6C756E, 0x65757274, 0x736C6166  # four bytes, the first one lowest
NO_NUMBER = -(2**63)  # where a text is not of the plain form


@inlined
def string_end(text: Any, at: int) -> int:
    """Return the place behind a string whose first character is at ``at``; -1 with ``\\u`` and bad ones."""
    while True:
        at = plain_end(text, at)
        if byte(text, at) == QUOTE:
            return at + 1
        if byte(text, at) != BACKSLASH:
            return -1
        after = byte(text, at + 1)
        # quote, backslash, slash, b, f, n, r, t
        if not (after == 0x22 or after == 0x5C or after == 0x2F or after == 0x62 or after == 0x66
                or after == 0x6E or after == 0x72 or after == 0x74):  # fmt: skip
            return -1
        at += 2


@inlined
def whole_end(text: Any, at: int) -> int:
    """Return the place behind a whole number as JSON writes it, of at most 18 digits, else -1."""
    if byte(text, at) == MINUS:
        at += 1
    first = at
    at = digits_end(text, at)
    if at == first or at - first > MOST_DIGITS or (byte(text, first) == ZERO and at - first > 1):
        return -1
    following = byte(text, at)
    if following == POINT or following == 0x65 or following == 0x45:  # e, E
        return -1
    return at


@inlined
def digits_end(text: Any, at: int) -> int:
    """Return the first place from ``at`` on that holds no digit."""
    while byte(text, at) >= ZERO and byte(text, at) <= NINE:
        at += 1
    return at


@inlined
def number_end(text: Any, at: int) -> int:
    """Return the place behind any number as JSON writes it (RFC 8259, section 6), else -1."""
    if byte(text, at) == MINUS:
        at += 1
    first = at
    at = digits_end(text, at)
    if at == first or (byte(text, first) == ZERO and at - first > 1):
        return -1
    if byte(text, at) == POINT:
        first = at + 1
        at = digits_end(text, first)
        if at == first:
            return -1
    if byte(text, at) == 0x65 or byte(text, at) == 0x45:  # e, E
        at += 1
        if byte(text, at) == MINUS or byte(text, at) == 0x2B:
            at += 1
        first = at
        at = digits_end(text, at)
        if at == first:
            return -1
    return at


@inlined
def literal_end(text: Any, at: int) -> int:
    """Return the place behind null, true or false, else -1."""
    first = low_bytes(word_at(text, at), 4)
    if first in (_NULL, _TRUE):
        return at + 4
    if first == _FALS and byte(text, at + 4) == 0x65:
        return at + 5
    return -1


@inlined
def value_end(text: Any, at: int) -> int:
    """Return the place behind a string, a number, null, true or false; -1 for anything else."""
    if byte(text, at) == QUOTE:
        return string_end(text, at + 1)
    if byte(text, at) == MINUS or (byte(text, at) >= ZERO and byte(text, at) <= NINE):
        return number_end(text, at)
    return literal_end(text, at)


@inlined
def scaled_number(text: Any, at: int, end: int, scale: int) -> int:
    """Return the decimal text[at : end] in units of 10**-scale; ``NO_NUMBER`` unless it is plain and exact.

    Plain: a minus sign perhaps, digits, perhaps a point and digits, none of value beyond the scale.
    """
    negative = byte(text, at) == MINUS
    if negative:
        at += 1
    number, digits, places = 0, 0, -1  # places: digits behind the point, -1 before it
    while at < end:
        if byte(text, at) == POINT:
            if places >= 0 or digits == 0 or at + 1 == end:
                return NO_NUMBER
            places = 0
        elif byte(text, at) < ZERO or byte(text, at) > NINE:
            return NO_NUMBER
        elif places >= scale:
            if byte(text, at) != ZERO:
                return NO_NUMBER
        else:
            number = number * 10 + (byte(text, at) - ZERO)
            digits += 1
            if digits > MOST_DIGITS:
                return NO_NUMBER
            if places >= 0:
                places += 1
        at += 1
    missing = scale - max(places, 0)
    if digits == 0 or digits + missing > MOST_DIGITS:
        return NO_NUMBER
    for _ in range(missing):
        number *= 10
    return -number if negative else number
