"""The accessors of `streams.scan.memory` for plain Python (NUMBA_DISABLE_JIT=1): an array stands for its
address.
"""

from __future__ import annotations

from typing import Any

QUOTE, BACKSLASH = 0x22, 0x5C


def address_of(array: Any) -> Any:
    """Return what the accessors take: uncompiled, the array."""
    return array


def ask(array: Any, offset: int) -> None:
    """Ask for bytes that will be read: nothing to do here."""


def byte(text: Any, at: int) -> int:
    """Return text[at]."""
    return int(text[at])


def put_byte(text: Any, at: int, value: int) -> None:
    """Set text[at]."""
    text[at] = value


def get(array: Any, at: int) -> int:
    """Return an int64 array's element; arrays of two dimensions count line by line."""
    return int(array.reshape(-1)[at])


def put(array: Any, at: int, value: int) -> None:
    """Set an int64 array's element."""
    array.reshape(-1)[at] = value


def word_at(text: Any, at: int) -> int:
    """Return text[at : at + 8] as a little-endian int64."""
    return int.from_bytes(bytes(text[at : at + 8]), "little", signed=True)


def mixed(hashed: int, word: int) -> int:
    """Return a hash with one more word in it."""
    return hash((hashed, word))


def plain_end(text: Any, at: int) -> int:
    """Return the first place from ``at`` on that holds a quote, a backslash or a byte below 0x20."""
    while byte(text, at) >= 0x20 and byte(text, at) not in (QUOTE, BACKSLASH):
        at += 1
    return at
