"""How often a customer may be acted for: slots in rolling windows, across triggers (semantics D5).

A slot is one number in a fact of its customer and cap: the minute of the decision, and a mark that tells
decisions of one minute apart. Facts hold eight each; a cap has as many as its slots need.
"""

from __future__ import annotations

from engine import guard_state as g
from engine import state as s
from engine.jit import step
from profiles import facts
from triggers.blend import FIRST, blend

PARTS = 8  # facts of one cap
MARK = 1 << 31
NOBODY = -1  # every cap has room


@step
def full_cap(st: int, trigger: int, c: int) -> int:
    """Return the first cap of a trigger that has no slot left for a customer, or NOBODY."""
    for cap in range(g.caps(st)):
        if g.trigger_caps(st, trigger) >> cap & 1 and count_of(st, cap, c) >= g.cap_most(st, cap):
            return cap
    return NOBODY


@step
def count_of(st: int, cap: int, c: int) -> int:
    """Return how many slots of a cap a customer has taken in its window at the clock."""
    count = 0
    for part in range(parts_of(st, cap)):
        fact = facts.find(st, c, facts.SLOT, cap * PARTS + part)
        if fact >= 0:
            for k in range(s.FACT_VALUES):
                if is_taken(st, cap, facts.value(st, fact, k)):
                    count += 1
    return count


@step
def parts_of(st: int, cap: int) -> int:
    """Return how many facts hold the slots of a cap."""
    return (g.cap_most(st, cap) + s.FACT_VALUES - 1) // s.FACT_VALUES


@step
def is_taken(st: int, cap: int, slot: int) -> bool:
    """Whether a slot is taken within the cap's window at the clock."""
    return slot != 0 and slot // MARK > s.clock(st) - g.cap_within(st, cap)


@step
def take_slots(st: int, c: int, n: int) -> None:
    """Take a slot of every cap of decision n's trigger; there is one (`full_cap`)."""
    trigger = s.d_trigger(st, n)
    slot = s.clock(st) * MARK + mark_of_decision(st, n)
    for cap in range(g.caps(st)):
        if g.trigger_caps(st, trigger) >> cap & 1:
            take(st, cap, c, slot)


@step
def take(st: int, cap: int, c: int, slot: int) -> None:
    """Write a slot where none is taken any more."""
    for part in range(parts_of(st, cap)):
        fact = facts.find_or_add(st, c, facts.SLOT, cap * PARTS + part)
        for k in range(s.FACT_VALUES):
            if not is_taken(st, cap, facts.value(st, fact, k)):
                facts.set_value(st, fact, k, slot)
                return


@step
def give_back(st: int, c: int, minute: int, mark: int) -> None:
    """Free the slots of the decision of a minute and mark, where it has any."""
    slot = minute * MARK + mark
    for cap in range(g.caps(st)):
        for part in range(parts_of(st, cap)):
            fact = facts.find(st, c, facts.SLOT, cap * PARTS + part)
            if fact < 0:
                continue
            for k in range(s.FACT_VALUES):
                if facts.value(st, fact, k) == slot:
                    facts.set_value(st, fact, k, 0)


@step
def mark_of_decision(st: int, n: int) -> int:
    """Return decision n's mark: of its trigger and cause."""
    at = n * s.CAUSES
    trigger = g.trigger_mark(st, s.d_trigger(st, n))
    if s.d_cause(st, at) < 0:
        return mark_of(trigger, 0, s.d_cause(st, at + 6), 0, 0, 0)
    return mark_of(
        trigger, s.d_cause(st, at + 1), s.d_cause(st, at + 2), s.d_cause(st, at + 3), s.d_cause(st, at + 4),
        s.d_cause(st, at + 5),
    )  # fmt: skip


@step
def mark_of(trigger: int, high: int, low: int, epoch: int, position: int, offset: int) -> int:
    """Return the mark of a cause, 1 .. 2^31 - 1: the same in every partition, plan and replay.

    trigger: what tells it from others, which settings do not change.
    """
    h = blend(blend(blend(FIRST, trigger), high), low)
    return blend(blend(blend(h, epoch), position), offset) + 1
