"""Whole numbers as variable-length bytes, many at once (LEB128, as in DWARF 5, section 7.6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]
LARGEST, SEVEN = np.uint64(127), np.uint64(7)  # of one byte, and its bits
LONGEST = 10  # bytes of a number of 64 bits, seven bits each


def encode(numbers: Numbers) -> bytes:
    """Return numbers (uint64) as bytes: seven bits each, the lowest first, the high bit where more follow.

    >>> encode(np.array([5, 300], dtype=np.uint64)).hex()
    '05ac02'
    """
    long = np.flatnonzero(numbers > LARGEST)
    if len(long) == 0:
        return numbers.astype(np.uint8).tobytes()
    rest, more = numbers[long], np.zeros(len(long), dtype=np.int64)
    while (longer := rest > LARGEST).any():
        more += longer
        rest = rest >> SEVEN
    place = np.ones(len(numbers), dtype=np.int64)
    place[0] = 0
    after = long + 1
    place[after[after < len(place)]] += more[: int((after < len(place)).sum())]
    np.cumsum(place, out=place)
    out = np.zeros(len(numbers) + int(more.sum()), dtype=np.uint8)
    out[place] = (numbers & LARGEST).astype(np.uint8)
    rest, place = numbers[long], place[long]
    while len(rest):
        out[place] |= 128
        rest, place = rest >> SEVEN, place + 1
        out[place] = (rest & LARGEST).astype(np.uint8)
        there = np.flatnonzero(rest > LARGEST)
        rest, place = rest[there], place[there]
    return out.tobytes()


def decode(data: bytes | memoryview) -> Numbers:
    """Return the numbers that bytes hold, uint64. Raises ValueError where the last one is cut short.

    >>> decode(bytes.fromhex("05ac02")).tolist()
    [5, 300]
    """
    octets = np.frombuffer(data, dtype=np.uint8)
    if len(octets) == 0:
        return np.zeros(0, dtype=np.uint64)
    if octets[-1] > 127:
        raise ValueError("the last number is cut short")
    ends = np.flatnonzero(octets < 128)
    numbers = octets[ends].astype(np.uint64)  # of one that is longer: its highest bits
    if len(ends) == len(octets):
        return numbers
    lengths = np.diff(ends, prepend=-1)
    long = np.flatnonzero(lengths > 1)
    if int(lengths[long].max()) > LONGEST:
        raise ValueError("a number has more than 64 bits")
    place, left = ends[long], lengths[long] - 1
    there = np.arange(len(long))
    while len(there):
        place[there] -= 1
        left[there] -= 1
        numbers[long[there]] = numbers[long[there]] << SEVEN | (octets[place[there]] & 127)
        there = there[left[there] > 0]
    return numbers
