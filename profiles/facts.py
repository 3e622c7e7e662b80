"""Sparse facts about customers: consent, tags set by hand, cool-downs, what waits or is held, slots.

A fact is found by (customer, kind, number) and holds seven whole numbers:
MANUAL tag: on, until (0 none). CONSENT number: granted, until. ACTED trigger: minute.
WAITING trigger: minute since which the condition holds (-1: it does not now), then the cause's six numbers.
ABSENT trigger: minute of A of the last decided instance, decision's step.
HELD trigger: minute at which it is decided again, then the cause as of WAITING. SLOT: see triggers.caps.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles.customers import mix

MANUAL, CONSENT, ACTED, WAITING, ABSENT, HELD, SLOT = range(1, 8)
KIND = 65536


@inlined
def home(st: int, c: int, kind: int) -> int:
    """Return the first place to look for a fact."""
    return mix(c, kind) & (s.fact_capacity(st) - 1)


@step
def find(st: int, c: int, kind: int, number: int) -> int:
    """Return the place of a fact, or -1."""
    what = kind * KIND + number
    mask = s.fact_capacity(st) - 1
    i = home(st, c, what)
    while s.fact_kind(st, i) != 0:
        if s.fact_kind(st, i) == what and s.fact_customer(st, i) == c:
            return i
        i = (i + 1) & mask
    return -1


@step
def find_or_add(st: int, c: int, kind: int, number: int) -> int:
    """Return the place of a fact, new and zero where there was none; room is there."""
    i = find(st, c, kind, number)
    if i >= 0:
        return i
    i = home(st, c, kind * KIND + number)
    while s.fact_kind(st, i) != 0:
        i = (i + 1) & (s.fact_capacity(st) - 1)
    s.set_fact_kind(st, i, kind * KIND + number)
    s.set_fact_customer(st, i, c)
    for k in range(s.FACT_VALUES):
        s.set_fact_value(st, i * s.FACT_VALUES + k, 0)
    s.set_facts_live(st, s.facts_live(st) + 1)
    return i


@inlined
def value(st: int, i: int, k: int) -> int:
    """Return the k-th number of the fact at place i."""
    return s.fact_value(st, i * s.FACT_VALUES + k)


@inlined
def set_value(st: int, i: int, k: int, number: int) -> None:
    """Set the k-th number of the fact at place i."""
    s.set_fact_value(st, i * s.FACT_VALUES + k, number)


@step
def remove(st: int, gap: int) -> None:
    """Forget the fact at a place; later ones of its run move back."""
    mask = s.fact_capacity(st) - 1
    s.set_fact_kind(st, gap, 0)
    s.set_facts_live(st, s.facts_live(st) - 1)
    i = (gap + 1) & mask
    while s.fact_kind(st, i) != 0:
        if (i - home(st, s.fact_customer(st, i), s.fact_kind(st, i))) & mask >= (i - gap) & mask:
            copy(st, i, gap)
            s.set_fact_kind(st, i, 0)
            gap = i
        i = (i + 1) & mask


@step
def copy(st: int, i: int, j: int) -> None:
    """Copy the fact at place i to place j."""
    s.set_fact_kind(st, j, s.fact_kind(st, i))
    s.set_fact_customer(st, j, s.fact_customer(st, i))
    for k in range(s.FACT_VALUES):
        set_value(st, j, k, value(st, i, k))
