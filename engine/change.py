"""New settings in force: what a new plan takes over from the old one (semantics G4).

The new engine has been brought to the same step by replaying the log under the new plan, without effects.
What depends on the way there is taken over by name: tags whose rule is unchanged, segments, and what
triggers remember. Then everybody is judged once; what changes by that is an activation.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.engine import Engine
from engine.kernel import put_fact, start_timer
from engine.partition import Partition
from engine.state import FACT_VALUES, WORD
from profiles import facts, timers
from triggers.caps import PARTS

KEPT = (facts.ACTED, facts.WAITING, facts.ABSENT, facts.HELD)  # of a trigger whose condition is unchanged
Ints = NDArray[np.int64]


def change_plan(old: Engine, new: Engine, live: bool) -> None:
    """Take over what stays, then judge everybody in mode activation; effects go to the new engine's sink."""
    for number, (before, after) in enumerate(zip(old.partitions, new.partitions, strict=True)):
        _take_over(before, after)
        if new.apart is not None:
            new.apart.take_over(number, before, old.cuts)
        after.set_mode(1 if live else 0)
        after.memory.set_scalar("step", old.steps[number])  # the settings record's own
        for name in ("last_import", "last_live", "effects"):
            after.memory.set_scalar(name, before.memory.scalar(name))
        after.memory.set_scalar("activation", 1)
        after.memory.set_scalar("cursor", 0)
        while not after.activate():
            new.drain(number)
        new.drain(number)
        after.memory.set_scalar("activation", 0)
        after.memory.set_scalar("cursor", 0)
        after.set_mode(before.mode)


def _take_over(old: Partition, new: Partition) -> None:
    places = _same_customers(old, new)
    _forget_effects(new)
    for name in new.plan.tag.names:
        if name in old.plan.tag.number and _rule_of(old, name) == _rule_of(new, name):
            _copy_tag(old, new, name, places)
        else:
            _begin_tag(old, new, name, places)
    _copy_segments(old, new, places)
    _copy_memories(old, new, places)


def _same_customers(old: Partition, new: Partition) -> Ints:
    """Return for each customer of ``new`` the number in ``old``, or -1."""
    ids = {pair: i for i, pair in enumerate(_pairs(old)) if pair is not None}
    return np.array([-1 if pair is None else ids.get(pair, -1) for pair in _pairs(new)], dtype=np.int64)


def _pairs(partition: Partition) -> list[tuple[int, int] | None]:
    """Return each customer's id; None of those who are erased."""
    names = ("customer_high", "customer_low", "customer_gone")
    high, low, gone = (partition.per_customer(name).tolist() for name in names)
    return [None if erased else (a, b) for a, b, erased in zip(high, low, gone, strict=True)]


def _forget_effects(partition: Partition) -> None:
    partition.take_effects()


def _rule_of(partition: Partition, name: str) -> object:
    """Return what makes a tag the same: its checked rule and its options."""
    tag = partition.plan.tag
    rule = tag.rules.get(name)
    declared = tag.declared[name]
    return (rule.meaning if rule else None, declared.sticky, declared.max, tuple(tag.group_of.get(name, ())))


def _copy_tag(old: Partition, new: Partition, name: str, places: Ints) -> None:
    a, b = old.plan.tag.number[name], new.plan.tag.number[name]
    here = np.flatnonzero(places >= 0)
    for column in ("truth", "candidate", "member", "spent"):
        bits = old.per_customer(column)[places[here], a // WORD] >> (a % WORD) & 1
        words = new.per_customer(column)
        words[:, b // WORD] &= ~(1 << (b % WORD))
        words[here, b // WORD] |= bits << (b % WORD)
    new.per_customer("since")[here, b] = old.per_customer("since")[places[here], a]
    end_a, end_b = int(old.plan.columns["tag_end"][a]), int(new.plan.columns["tag_end"][b])
    if end_b >= 0:
        for k in range(2):
            new.per_customer("until")[here, end_b + k] = old.per_customer("until")[places[here], end_a + k]
        ahead = new.per_customer("until")[:, end_b] > new.clock  # what max has ended lies behind
        for c in np.flatnonzero(ahead).tolist():
            _start(new, int(new.per_customer("until")[c, end_b]), timers.TAG_ENDS, b, c, 0, 0)


def _begin_tag(old: Partition, new: Partition, name: str, places: Ints) -> None:
    """A new or changed tag is judged from the beginning; who is a member stays one, and its since, if the
    result is the same (G3)."""
    b = new.plan.tag.number[name]
    for column in ("truth", "candidate", "member", "spent"):
        new.per_customer(column)[:, b // WORD] &= ~(1 << (b % WORD))
    new.per_customer("since")[:, b] = 0
    end = int(new.plan.columns["tag_end"][b])
    if end >= 0:
        new.per_customer("until")[:, end : end + 2] = 0
    if name in old.plan.tag.number:
        a, here = old.plan.tag.number[name], np.flatnonzero(places >= 0)
        bits = old.per_customer("member")[places[here], a // WORD] >> (a % WORD) & 1
        new.per_customer("member")[here, b // WORD] |= bits << (b % WORD)
        new.per_customer("since")[here, b] = old.per_customer("since")[places[here], a]


def _copy_segments(old: Partition, new: Partition, places: Ints) -> None:
    """Let the segments of models of the same name be as they were, so that a change shows."""
    models = [plan.model.name for plan in old.plan.models]
    here = np.flatnonzero(places >= 0)
    for model, plan in enumerate(new.plan.models):
        after = np.full(new.customers, -1, dtype=np.int16)
        if plan.model.name in models:
            before = models.index(plan.model.name)
            names = [*old.plan.segments[before], None]
            number = {name: i for i, name in reversed(list(enumerate(new.plan.segments[model])))}
            mapped = np.array([number.get(name, -1) if name else -1 for name in names], dtype=np.int16)
            after[here] = mapped[old.per_customer("segment")[places[here], before]]
        new.per_customer("segment")[:, model] = after


def _copy_memories(old: Partition, new: Partition, places: Ints) -> None:
    """Copy what triggers remember, where what they decide by is unchanged."""
    back = {int(p): c for c, p in enumerate(places.tolist()) if p >= 0}
    number = {name: i for i, name in enumerate(new.plan.trigger.names)}
    names = old.plan.trigger.names
    same = {n for n in names if n in number and _condition_of(old, n) == _condition_of(new, n)}
    memory = old.memory
    slots: dict[tuple[int, str], list[int]] = {}
    for place in np.flatnonzero(memory["fact_kind"]).tolist():
        kind, what = divmod(int(memory["fact_kind"][place]), facts.KIND)
        c = back.get(int(memory["fact_customer"][place]), -1)
        if c < 0:
            continue
        values = memory["fact_value"][place * FACT_VALUES : (place + 1) * FACT_VALUES].copy()
        if kind == facts.SLOT:
            taken = slots.setdefault((c, old.plan.guards.caps[what // PARTS]), [])
            taken += values[values != 0].tolist()
        if kind not in KEPT or names[what] not in same:
            continue
        if kind == facts.ACTED and not go_on(values, *_statuses(old, new, names[what])):
            continue
        if kind != facts.ACTED and values[1] >= 0:  # the cause's source has another number now
            source = old.plan.metric.sources[int(values[1])]
            if source not in new.plan.metric.source_number:
                continue  # nothing can be decided that would name it
            values[1] = new.plan.metric.source_number[source]
        _put_fact(new, c, kind, number[names[what]], values)
    _put_slots(new, slots)
    for i in range(memory.scalar("timers_live")):
        kind, what = divmod(int(memory["timer_kind"][i]), timers.KIND)
        c = back.get(int(memory["timer_customer"][i]), -1)
        if kind >= timers.FOR_ENDS and c >= 0 and names[what] in same:
            minute, then = int(memory["timer_minute"][i]), number[names[what]]
            if kind == timers.SOURCE_STALE:  # it stands `max_age` behind the instance's due minute
                minute += int(new.memory["trigger_max_age"][then]) - int(memory["trigger_max_age"][what])
            _start(new, minute, kind, then, c, int(memory["timer_high"][i]), int(memory["timer_low"][i]))


def _put_slots(new: Partition, slots: Mapping[tuple[int, str], list[int]]) -> None:
    """Put what customers have taken of caps into those of the same names, the newest as far as there is room:
    no window holds an older one without them."""
    for (c, name), taken in slots.items():
        if name not in new.plan.guards.caps:
            continue
        cap = new.plan.guards.caps.index(name)
        parts = -(-new.plan.guards.declared.caps[name].most // FACT_VALUES)
        newest = sorted(taken, reverse=True)[: parts * FACT_VALUES]
        padded = np.array(newest + [0] * (parts * FACT_VALUES - len(newest)), dtype=np.int64)
        for part, values in enumerate(padded.reshape(parts, FACT_VALUES)):
            _put_fact(new, c, facts.SLOT, cap * PARTS + part, values)


def _statuses(old: Partition, new: Partition, name: str) -> tuple[bool, bool]:
    """Return whether a trigger was in shadow, and whether it is."""
    before, after = (one.plan.trigger.declared[name].status == "shadow" for one in (old, new))
    return before, after


def go_on(acted: Ints, was_in_shadow: bool, is_in_shadow: bool) -> bool:
    """Let what a trigger remembers of a customer go on; return whether there is anything.

    In shadow it goes by its own acts, which reach nobody and end with the shadow. Meanwhile the minute at
    which it reached the customer last stands in the fact's second number, counted from 1 (D5, D6).
    """
    if is_in_shadow and not was_in_shadow:
        acted[1] = acted[0] + 1
    elif was_in_shadow and not is_in_shadow:
        acted[0], acted[1] = acted[1] - 1, 0
    return bool(acted[0] >= 0)


def _condition_of(partition: Partition, name: str) -> object:
    """Return what must be unchanged for waits, absences and cool-downs to survive a version (G4)."""
    trigger = partition.plan.trigger.declared[name]
    return trigger.when, trigger.condition, trigger.for_


def _start(new: Partition, minute: int, kind: int, what: int, c: int, high: int, low: int) -> None:
    if new.memory.scalar("timers_live") + 1 >= new.memory.capacity["timer"]:
        new.memory.grow("timer")
    start_timer(new.memory.handle, minute, kind, what, c, high, low)


def _put_fact(new: Partition, c: int, kind: int, what: int, values: Ints) -> None:
    if 2 * (new.memory.scalar("facts_live") + 2) >= new.memory.capacity["fact"]:
        new.memory.grow("fact")
    place = put_fact(new.memory.handle, c, kind, what)
    new.memory["fact_value"][place * FACT_VALUES : (place + 1) * FACT_VALUES] = values
