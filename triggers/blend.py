"""A hash whose value means something, so it must be the same compiled or not, and on every machine.

`profiles.customers.mix` will not do: its products leave 63 bits, which compiled code may not expect.
"""

from __future__ import annotations

from engine.jit import step

PRIME = (1 << 31) - 1  # S. K. Park, K. W. Miller, CACM 31 (1988), with the multiplier of their 1993 letter
MULTIPLIER = 48271
FIRST = 1


@step
def blend(h: int, word: int) -> int:
    """Return the hash h, 0 .. PRIME - 1, with a signed word of 64 bits added, sixteen bits at a time.

    >>> blend(blend(FIRST, 7), -1)
    848269029
    """
    for shift in range(0, 64, 16):
        h = (h ^ (word >> shift & 0xFFFF)) * MULTIPLIER % PRIME
    return h
