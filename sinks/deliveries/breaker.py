"""A provider's circuit breaker: whoever fails again and again is left alone, then tried with one message."""

from __future__ import annotations

import random
from enum import StrEnum

THRESHOLD = 5  # batches in a row of which nothing came through
RETRY_SECONDS, RETRY_MOST = 1.0, 300.0
PROBE_SECONDS, PROBE_MOST = 2.0, 60.0
STOP_SECONDS, STOP_MOST = 60.0, 900.0  # somebody has to mend it: a person's pace


class Stand(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"  # messages pass
    OPEN = "open"  # none pass
    HALF_OPEN = "half-open"  # one is on its way, to see


class Sign(StrEnum):
    """What makes it change."""

    PASSED = "passed"  # a message was taken, or refused for a fault of its own
    FAILED = "failed"  # nothing of a batch came through
    TRIPPED = "tripped"  # so often in a row, or the provider says that nothing will pass
    PROBE = "probe"  # its time is over: one message may try


CHANGES: dict[tuple[Stand, Sign], Stand] = {
    (Stand.CLOSED, Sign.PASSED): Stand.CLOSED,
    (Stand.CLOSED, Sign.FAILED): Stand.CLOSED,
    (Stand.CLOSED, Sign.TRIPPED): Stand.OPEN,
    (Stand.OPEN, Sign.PROBE): Stand.HALF_OPEN,
    (Stand.HALF_OPEN, Sign.PASSED): Stand.CLOSED,
    (Stand.HALF_OPEN, Sign.FAILED): Stand.OPEN,
    (Stand.HALF_OPEN, Sign.TRIPPED): Stand.OPEN,
    # Of batches that were on their way when it opened: the probe will tell.
    (Stand.OPEN, Sign.PASSED): Stand.OPEN,
    (Stand.OPEN, Sign.FAILED): Stand.OPEN,
    (Stand.OPEN, Sign.TRIPPED): Stand.OPEN,
}


def back_off(attempt: int, first: float, most: float, chance: random.Random) -> float:
    """Return seconds to wait after so many attempts (from 1): full jitter (Brooker, AWS, 2015).

    >>> 0 <= back_off(3, 1.0, 60.0, random.Random(1)) <= 4
    True
    """
    return chance.uniform(0.0, min(most, first * 2.0 ** min(attempt - 1, 40)))


class Breaker:
    """One provider's. Times are seconds since 1970, given by the caller."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0  # batches in a row
        self._opened = 0  # times in a row
        self.stand = Stand.CLOSED
        self.until = 0.0  # while open: when a probe may go
        self.reason = ""

    def may(self, now: float, most: int) -> int:
        """Return how many messages may pass now: ``most``, one as a probe, or none."""
        if self.stand is Stand.CLOSED:
            return most
        return 1 if self.stand is Stand.OPEN and self.until <= now else 0

    def probe(self) -> None:
        """One message is on its way; does nothing while it is closed."""
        if self.stand is Stand.OPEN:
            self.stand = CHANGES[self.stand, Sign.PROBE]

    def passed(self) -> None:
        """Something came through."""
        self.stand = CHANGES[self.stand, Sign.PASSED]
        self._failures = 0
        if self.stand is Stand.CLOSED:
            self._opened, self.reason = 0, ""

    def failed(self, now: float, reason: str, at_once: bool = False) -> None:
        """Nothing of a batch came through; at_once: that is enough to leave the provider alone."""
        self._failures += 1
        trips = self.stand is Stand.CLOSED and (at_once or self._failures >= THRESHOLD)
        self._change(Sign.TRIPPED if trips else Sign.FAILED, now, reason, PROBE_SECONDS, PROBE_MOST)

    def stopped(self, now: float, reason: str) -> None:
        """The provider says that nothing will pass until somebody mends it."""
        self._change(Sign.TRIPPED, now, reason, STOP_SECONDS, STOP_MOST)

    def _change(self, sign: Sign, now: float, reason: str, first: float, most: float) -> None:
        before, self.stand = self.stand, CHANGES[self.stand, sign]
        if self.stand is Stand.OPEN and before is not Stand.OPEN:
            self._opened += 1
            # At least half of it: a provider that is down is not asked at once.
            wait = min(most, first * 2.0 ** min(self._opened - 1, 40)) / 2
            self.until = now + wait + self._chance.uniform(0.0, wait)
            self.reason = reason
