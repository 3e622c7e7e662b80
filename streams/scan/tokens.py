"""Different values of a feed, each once: the bytes of a JSON value to a small number, its code.

A hash table of open addressing. ``slots``: code + 1 below 32 bits of the hash, 0 where empty; ``records``:
two words for each code, its first eight bytes, and where its bytes begin above their number (16 bits);
``arena``: the bytes, one value after the other; ``used``: codes, bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.scan.jit import inlined
from streams.scan.words import byte, get, low_bytes, mixed, put, put_byte, same_bytes, word_at

LONGEST = 4096  # bytes of a value that is worth remembering
MOST = 4_000_000  # codes; beyond them all are forgotten
_LOW = 0xFFFFFFFF
_PADDING = 16
CODES, BYTES = 0, 1  # places in ``used``


@inlined
def mark_of(text: Any, at: int, size: int) -> int:
    """Return 32 bits of the hash of the value text[at : at + size], of 1 to LONGEST bytes."""
    hashed = mixed(size, low_bytes(word_at(text, at), size))
    done = 8
    while done < size:
        hashed = mixed(hashed ^ (hashed >> 29), low_bytes(word_at(text, at + done), size - done))
        done += 8
    return (hashed >> 32) & _LOW


@inlined
def place_of(held: int) -> int:
    """Return the code that a slot holds, or -1."""
    return (held & _LOW) - 1


@inlined
def code_of(
    text: Any, at: int, end: int, mark: int, slots: Any, mask: int, records: Any, arena: Any, used: Any,
) -> int:  # fmt: skip
    """Return the code of the value text[at : end], whose ``mark_of`` is known; a new one gets the next.

    mask: the number of slots - 1; all else as addresses (`streams.scan.words`).
    """
    size = end - at
    first = low_bytes(word_at(text, at), size)
    slot = mark & mask
    held = get(slots, slot)
    while held != 0:
        if (held >> 32) & _LOW == mark:
            code = place_of(held)
            place = get(records, 2 * code + 1)
            same = get(records, 2 * code) == first and place & 0xFFFF == size
            if same and (size <= 8 or same_bytes(text, at + 8, arena, (place >> 16) + 8, size - 8)):
                return code
        slot = (slot + 1) & mask
        held = get(slots, slot)
    code, begin = get(used, CODES), get(used, BYTES)
    put(slots, slot, _signed(mark) << 32 | (code + 1))
    put(records, 2 * code, first)
    put(records, 2 * code + 1, (begin << 16) | size)
    for offset in range(size):
        put_byte(arena, begin + offset, byte(text, at + offset))
    put(used, CODES, code + 1)
    put(used, BYTES, begin + size)
    return code


@inlined
def _signed(mark: int) -> int:
    """Return 32 bits as a number with a sign, so that shifted up by 32 they fit int64 (uncompiled too)."""
    return mark - ((mark & 0x80000000) << 1)


class Tokens:
    """The table, and the values by code."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.slots: NDArray[np.int64] = np.zeros(1 << 12, dtype=np.int64)
        self.records: NDArray[np.int64] = np.zeros(1 << 12, dtype=np.int64)
        self.arena: NDArray[np.uint8] = np.zeros(1 << 16, dtype=np.uint8)
        self.used: NDArray[np.int64] = np.zeros(2, dtype=np.int64)

    def __len__(self) -> int:
        return int(self.used[CODES])

    def make_room(self, values: int, size: int) -> None:
        """Grow so that ``values`` more of ``size`` bytes altogether fit."""
        codes, held = len(self) + values, int(self.used[BYTES]) + size + _PADDING
        if 2 * codes > len(self.records):
            self.records = _longer(self.records, 4 * codes)
        if held > len(self.arena):
            self.arena = _longer(self.arena, 2 * held)
        if 2 * codes > len(self.slots):
            self._spread(1 << (4 * codes - 1).bit_length())

    def _spread(self, size: int) -> None:
        """Put the codes into a larger table, at the slots that their marks name."""
        old = self.slots[self.slots != 0]
        self.slots = np.zeros(size, dtype=np.int64)
        free = old
        step = np.zeros(len(old), dtype=np.int64)
        while len(free):  # all that wait look at one slot each; the first of those that meet gets it
            slot = (((free >> 32) & _LOW) + step) & (size - 1)
            first = np.unique(slot, return_index=True)[1]
            first = first[self.slots[slot[first]] == 0]
            self.slots[slot[first]] = free[first]
            waits = np.ones(len(free), dtype=bool)
            waits[first] = False
            free, step = free[waits], step[waits] + 1

    def bytes_of(self, first: int, last: int) -> list[bytes]:
        """Return the bytes of the values with codes first .. last - 1."""
        places = self.records[2 * first + 1 : 2 * last : 2]
        begins, sizes = (places >> 16).tolist(), (places & 0xFFFF).tolist()
        held = self.arena.tobytes() if last - first > 64 else None
        return [
            held[begin : begin + size] if held is not None else self.arena[begin : begin + size].tobytes()
            for begin, size in zip(begins, sizes, strict=True)
        ]


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    grown = np.zeros(size, dtype=array.dtype)
    grown[: len(array)] = array
    return grown
