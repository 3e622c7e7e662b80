"""Bytes and words of text: the accessors, and what is built on them.

Text is a uint8 array with at least eight bytes behind its last one, the first of them 0.
"""

from __future__ import annotations

from typing import Any

from streams.scan.jit import COMPILED, inlined

if COMPILED:
    from streams.scan.memory import address_of, ask, byte, get, mixed, plain_end, put, put_byte, word_at
else:
    from streams.scan.uncompiled import address_of, ask, byte, get, mixed, plain_end, put, put_byte, word_at

QUOTE, BACKSLASH = 0x22, 0x5C


@inlined
def low_bytes(word: int, count: int) -> int:
    """Return a word of which only the lowest ``count`` bytes are kept; count: 1 to 8."""
    return word if count >= 8 else word & ((1 << (count << 3)) - 1)


@inlined
def same_bytes(left: Any, at: int, right: Any, begin: int, count: int) -> bool:
    """Whether left[at : at + count] equals right[begin : begin + count]."""
    done = 0
    while count - done >= 8:
        if word_at(left, at + done) != word_at(right, begin + done):
            return False
        done += 8
    if done == count:
        return True
    difference = word_at(left, at + done) ^ word_at(right, begin + done)
    return low_bytes(difference, count - done) == 0


__all__ = [
    "BACKSLASH", "QUOTE", "address_of", "ask", "byte", "get", "low_bytes", "mixed", "plain_end", "put",
    "put_byte", "same_bytes", "word_at",
]  # fmt: skip
