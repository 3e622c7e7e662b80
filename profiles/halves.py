"""Numbers of 64 bits in two halves: the low half alone while all of a column fit it (signed, 32 bits)."""

from __future__ import annotations

from engine.jit import inlined

HALF = 1 << 31
LOW = 0xFFFFFFFF


@inlined
def fits_half(number: int) -> bool:
    """Whether a number fits 32 bits."""
    return -HALF <= number < HALF


@inlined
def low_half(number: int) -> int:
    """Return the low 32 bits, as a signed number; the rest of the number is ``number >> 32``."""
    return ((number & LOW) ^ HALF) - HALF


@inlined
def joined(rest: int, low: int) -> int:
    """Return the number of two halves."""
    return (rest << 32) | (low & LOW)
