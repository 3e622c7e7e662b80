"""How often a trigger acts, counted over all customers, against its forecast (semantics D7).

Nothing here reads a clock: minutes are those of decisions.
"""

from __future__ import annotations

from collections.abc import Mapping

KEPT = 10_080  # minutes: a partition that is further behind another is counted by itself


class Acts:
    """Acts of one trigger by minute, and the most of them in any span of so many minutes."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._counts: dict[int, int] = {}
        self._newest = -1
        self._latest = 0  # in the span that ends at the newest minute

    def add(self, minute: int, number: int = 1) -> int:
        """Count acts of a minute; return how many the fullest span that contains it has.

        >>> acts = Acts(60)
        >>> [acts.add(minute) for minute in (100, 159, 160, 100)]
        [1, 2, 2, 3]
        """
        if minute > self._newest:
            self._open(minute)
        self._counts[minute] = self._counts.get(minute, 0) + number
        if minute > self._newest - self._span:
            self._latest += number
        return self._latest if minute == self._newest else self._fullest(minute)

    def _open(self, minute: int) -> None:
        first = self._newest - self._span + 1
        if minute - self._newest >= self._span:
            self._latest = 0
        else:
            self._latest -= sum(self._counts.get(m, 0) for m in range(first, minute - self._span + 1))
        self._newest = minute
        if len(self._counts) > 2 * (KEPT + self._span):
            oldest = minute - KEPT - self._span
            self._counts = {m: number for m, number in self._counts.items() if m > oldest}

    def _fullest(self, minute: int) -> int:
        first, last = minute - self._span + 1, min(minute + self._span - 1, self._newest)
        held = most = sum(self._counts.get(m, 0) for m in range(first, minute + 1))
        for end in range(minute + 1, last + 1):
            held += self._counts.get(end, 0) - self._counts.get(end - self._span, 0)
            most = max(most, held)
        return most


def busiest(counts: Mapping[int, int], span: int) -> tuple[int, int]:
    """Return the most acts in any span of so many minutes, and the minute at which the first such span ends;
    (0, -1) of nothing.

    >>> busiest({10: 5, 69: 5, 70: 6}, 60)
    (11, 70)
    """
    acts, most, at = Acts(span), 0, -1
    for minute in sorted(counts):
        found = acts.add(minute, counts[minute])
        if found > most:
            most, at = found, minute
    return most, at


def suggested(most: int) -> int:
    """Return a forecast for a trigger whose busiest span had so many acts: three times as many, rounded up to
    two digits, ten at least.

    >>> [suggested(most) for most in (0, 3, 41, 1204)]
    [10, 10, 130, 3700]
    """
    wanted = max(10, 3 * most)
    unit = int("1" + "0" * (len(str(wanted)) - 2))
    return -(-wanted // unit) * unit
