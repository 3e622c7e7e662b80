"""Customers whom nothing reaches, so that what triggers bring can be measured against them (semantics D5)."""

from __future__ import annotations

import xxhash

from engine import state as s
from engine.jit import step
from triggers.blend import FIRST, blend

BUCKETS = 10_000
HUNDREDTHS = 100  # buckets of a percent


def salt_of(*parts: str) -> int:
    """Return what makes one hold-out independent of another: the high 63 bits of xxh3_64.

    >>> salt_of("hold_out", "") == salt_of("hold_out", "", "trigger", "win_back")
    False
    """
    return xxhash.xxh3_64_intdigest("\x1f".join(parts).encode()) >> 1


@step
def is_held_out(st: int, c: int, percent: int, salt: int) -> bool:
    """Whether a customer belongs to the share that is held out under a salt."""
    if percent == 0:
        return False
    salted = blend(FIRST, salt)
    bucket = blend(blend(salted, s.customer_high(st, c)), s.customer_low(st, c)) % BUCKETS
    return bucket < percent * HUNDREDTHS
