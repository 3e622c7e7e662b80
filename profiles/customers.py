"""Customers: id -> number. An id is 128 bits; numbers are given in order of appearance."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step

MULTIPLIER = 0x9E3779B97F4A7C1  # odd; the golden ratio's bits
POSITIVE = 0x7FFFFFFFFFFFFFFF


@inlined
def mix(high: int, low: int) -> int:
    """Hash of two words, 0 .. 2^34 - 1; the same compiled or not (only the low 63 bits count)."""
    first = (high * 0x2545F4914F6CDD1D) & POSITIVE
    return (((first ^ low ^ (first >> 31)) * MULTIPLIER) & POSITIVE) >> 29


@inlined
def home(st: int, high: int, low: int) -> int:
    """Return the place of the hash table from which on a customer is searched for."""
    return mix(high, low) & s.customer_mask(st)


@step
def find_customer(st: int, high: int, low: int) -> int:
    """Return the customer's number, or -1."""
    mask = s.customer_mask(st)
    i = home(st, high, low)
    while True:
        c = s.customer_slot(st, i) - 1
        if c < 0:
            return -1
        if s.customer_low(st, c) == low and s.customer_high(st, c) == high:
            return c
        i = (i + 1) & mask


@step
def add_customer(st: int, high: int, low: int) -> int:
    """Give a new customer the next number; room is there (`engine.room`)."""
    c = s.customers_used(st)
    s.set_customers_used(st, c + 1)
    s.set_customer_high(st, c, high)
    s.set_customer_low(st, c, low)
    place_customer(st, c)
    for k in range(s.sources(st)):
        s.set_list_class(st, c * s.sources(st) + k, -1)
    for m in range(s.models(st)):
        s.set_recent(st, c * s.models(st) + m, s.NONE_MINUTE)
        s.set_segment(st, c * s.models(st) + m, -1)
    return c


@step
def place_customer(st: int, c: int) -> None:
    """Enter a customer into the hash table."""
    mask = s.customer_mask(st)
    i = mix(s.customer_high(st, c), s.customer_low(st, c)) & mask
    while s.customer_slot(st, i) != 0:
        i = (i + 1) & mask
    s.set_customer_slot(st, i, c + 1)


@step
def forget_customer(st: int, c: int) -> None:
    """Let a customer not be found by its id any more; its number is nobody's from now on (P7)."""
    s.set_customer_gone(st, c, 1)
    mask = s.customer_mask(st)
    gap = mix(s.customer_high(st, c), s.customer_low(st, c)) & mask
    while s.customer_slot(st, gap) != c + 1:
        gap = (gap + 1) & mask
    s.set_customer_slot(st, gap, 0)
    i = (gap + 1) & mask
    while s.customer_slot(st, i) != 0:  # later ones of its run move back
        other = s.customer_slot(st, i) - 1
        home = mix(s.customer_high(st, other), s.customer_low(st, other)) & mask
        if (i - home) & mask >= (i - gap) & mask:
            s.set_customer_slot(st, gap, other + 1)
            s.set_customer_slot(st, i, 0)
            gap = i
        i = (i + 1) & mask


@inlined
def id_less(st: int, a: int, b: int) -> bool:
    """Whether customer a's id comes before b's (T3 (6))."""
    if s.customer_high(st, a) != s.customer_high(st, b):
        return s.customer_high(st, a) < s.customer_high(st, b)
    return s.customer_low(st, a) < s.customer_low(st, b)
