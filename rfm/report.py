"""What a partition reports of its population, so that cut points over all partitions are exact (R5).

Sorted values as runs, and as bytes: the differences of the different values, and how many customers have
each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from rfm import varint
from rfm.cuts import Values

FEW, BITS = np.uint64(3), np.uint64(2)  # lowest bits of a difference: of 0, 1, 2 so many more than one


@dataclass(frozen=True)
class Runs:
    """Different values, ascending, and how many customers have each: int64, of equal length."""

    values: Values
    counts: Values

    @staticmethod
    def of(ascending: Values) -> Runs:
        """Return the runs of sorted values (int64).

        >>> Runs.of(np.array([3, 3, 8]))
        Runs(values=array([3, 8]), counts=array([2, 1]))
        """
        first = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))[: len(ascending)]
        return Runs(ascending[first], np.diff(np.append(first, len(ascending))))

    @cached_property
    def up_to(self) -> Values:
        """Customers with one of the first i values: int64, one longer than ``values``, from 0."""
        return np.concatenate(([0], np.cumsum(self.counts)))

    @cached_property
    def size(self) -> int:
        """How many customers there are."""
        return int(self.counts.sum())

    def encoded(self) -> bytes:
        """Return the runs as bytes: how many; the first value; differences x 4, + how many beyond the first
        have the value; where that is three or more, it follows behind all differences, less three.

        Raises OverflowError for differences of 2^62 and more.
        """
        if len(self.values) == 0:
            return b""
        first = int(self.values[0])
        head = np.array([2 * first if first >= 0 else -2 * first - 1], dtype=np.uint64)
        more = self.counts.view(np.uint64) - np.uint64(1)
        steps = np.zeros(len(self.values), dtype=np.uint64)
        steps[1:] = np.diff(self.values.view(np.uint64))
        if int(steps.max()) >> 62:
            raise OverflowError("two values that follow each other lie 2^62 apart")
        steps = steps << BITS | np.minimum(more, FEW)
        numbers = [np.array([len(steps)], dtype=np.uint64), head, steps, more[more >= FEW] - FEW]
        return varint.encode(np.concatenate(numbers))

    @staticmethod
    def decoded(data: bytes | memoryview) -> Runs:
        """Return the runs that `encoded` wrote. Raises ValueError where the bytes are none."""
        numbers = varint.decode(data)
        if len(numbers) == 0:
            return Runs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        size = int(numbers[0])
        steps, head = numbers[2 : 2 + size], int(numbers[1])
        counts = (steps & FEW).view(np.int64) + 1
        many = np.flatnonzero(counts == 4)
        if len(steps) != size or len(numbers) != 2 + size + len(many):
            raise ValueError("these bytes are no runs of values")
        counts[many] += numbers[2 + size :].view(np.int64)
        values = np.cumsum(steps >> BITS).view(np.int64)
        return Runs(values + (head >> 1 if head % 2 == 0 else -(head >> 1) - 1), counts)


@dataclass(frozen=True)
class Report:
    """One partition's population of one model at the opening of a minute; ``recent`` are the minutes of last
    orders. All three have the same size."""

    recent: Runs
    frequency: Runs
    monetary: Runs

    @cached_property
    def encoded(self) -> bytes:
        """The report as bytes: the lengths of its three parts, then these; worked out once."""
        parts = [runs.encoded() for runs in (self.recent, self.frequency, self.monetary)]
        lengths = varint.encode(np.array([len(part) for part in parts], dtype=np.uint64))
        return bytes([len(lengths)]) + lengths + b"".join(parts)


def decoded(data: bytes) -> Report:
    """Return the report of some bytes. Raises ValueError where they are none."""
    if not data:
        raise ValueError("a report has at least four bytes")
    begin = 1 + data[0]
    lengths = varint.decode(data[1:begin]).astype(np.int64).tolist()
    if len(lengths) != 3 or begin + sum(lengths) != len(data):
        raise ValueError("the report is cut short")
    ends = np.cumsum([begin, *lengths]).tolist()
    recent, frequency, monetary = (Runs.decoded(data[a:b]) for a, b in pairwise(ends))
    if not recent.size == frequency.size == monetary.size:
        raise ValueError("the three measures have different sizes")
    return Report(recent, frequency, monetary)
