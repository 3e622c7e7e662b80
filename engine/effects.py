"""Writing down what came out of a step: transitions and decisions, of fixed size (semantics G5)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import metrics

LEFT, ENTERED, SEGMENT = range(3)
IMPORT, LIVE, HISTORY, ACTIVATION = range(4)
ACT, REFUSED, CONTRADICTED, HELD = range(4)


@step
def emit_transition(st: int, c: int, kind: int, number: int, before: int, after: int) -> None:
    """Write down that a tag was entered or left, or that a segment changed; room is there."""
    n = s.transitions_used(st)
    s.set_transitions_used(st, n + 1)
    s.set_t_seq(st, n, next_number(st))
    s.set_t_step(st, n, s.step_now(st))
    s.set_t_minute(st, n, s.clock(st))
    s.set_t_customer(st, n, c)
    s.set_t_kind(st, n, kind)
    s.set_t_object(st, n, number)
    s.set_t_mode(st, n, ACTIVATION if s.activation(st) else s.mode_now(st))
    s.set_t_from(st, n, before)
    s.set_t_to(st, n, after)
    nulls = 0
    for k in range(s.LEAVES):
        leaf = s.tag_leaf(st, number * s.LEAVES + k) if kind != SEGMENT else -1
        s.set_t_leaf(st, n * s.LEAVES + k, leaf_value(st, c, leaf))
        if not leaf_known(st, c, leaf):
            nulls |= 1 << k
    s.set_t_null(st, n, nulls)


@step
def emit_decision(st: int, c: int, trigger: int, outcome: int, guard: int, figure: int, limit: int) -> int:
    """Write down a decision; return its number, so that the caller sets its cause."""
    n = s.decisions_used(st)
    s.set_decisions_used(st, n + 1)
    s.set_d_seq(st, n, next_number(st))
    s.set_d_step(st, n, s.step_now(st))
    s.set_d_minute(st, n, s.clock(st))
    s.set_d_customer(st, n, c)
    s.set_d_trigger(st, n, trigger)
    s.set_d_outcome(st, n, outcome)
    s.set_d_guard(st, n, guard)
    s.set_d_figure(st, 2 * n, figure)
    s.set_d_figure(st, 2 * n + 1, limit)
    nulls = 0
    for k in range(s.LEAVES):
        leaf = s.trigger_leaf(st, trigger * s.LEAVES + k)
        s.set_d_leaf(st, n * s.LEAVES + k, leaf_value(st, c, leaf))
        if not leaf_known(st, c, leaf):
            nulls |= 1 << k
    s.set_d_null(st, n, nulls)
    return n


@inlined
def next_number(st: int) -> int:
    """Return the number of the effect being written: transitions and decisions count on together (P3)."""
    number = s.effects(st)
    s.set_effects(st, number + 1)
    return number


@step
def leaf_known(st: int, c: int, leaf: int) -> bool:
    """Whether a leaf (metric x 2 + part) has a value."""
    return leaf >= 0 and metrics.is_known(st, c, leaf >> 1)


@step
def leaf_value(st: int, c: int, leaf: int) -> int:
    """Return a leaf's value; part 1 is the count of an avg; 0 where it has none."""
    if not leaf_known(st, c, leaf):
        return 0
    if leaf & 1:
        return metrics.tally_of(st, c, leaf >> 1)
    return metrics.read(st, c, leaf >> 1)
