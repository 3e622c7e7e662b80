"""What a service has done since it began, for whoever watches it."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_MESSAGES = (1.0, 10.0, 100.0, 1000.0, 5000.0)


class Buckets:
    """Counts of values by upper bounds. One thread adds; others may read.

    >>> held = Buckets((1, 10))
    >>> for value in (0.5, 3, 99):
    ...     held.add(value)
    >>> held.cumulative(), held.total
    ([('1', 1), ('10', 2), ('+Inf', 3)], 102.5)
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Return (upper bound, how many values at or below it), the last for all."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True))


@dataclass
class Figures:
    """Counts and times of one service (wall clock, seconds).

    behind_since: when a batch began that is on disk, but not all in the store yet; None while everything is.
    store_away: since when the store does not answer, 0 while it does.
    """

    started: float = field(default_factory=time.time)
    messages: int = 0
    rejected: int = 0
    batches: int = 0
    commits: int = 0
    last_commit: float = 0.0
    store_away: float = 0.0
    behind_since: float | None = None
    batch_messages: Buckets = field(default_factory=lambda: Buckets(_MESSAGES))
    append_seconds: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    commit_seconds: Buckets = field(default_factory=lambda: Buckets(SECONDS))
