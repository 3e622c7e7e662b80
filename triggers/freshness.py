"""Until when a source was heard of, and whether it is stale (semantics D4)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step


@inlined
def is_stale(st: int, source: int) -> bool:
    """Whether the source was not heard of for longer than its limit; one never heard of is stale."""
    limit = s.source_stale(st, source)
    return limit > 0 and s.clock(st) - s.fresh_until(st, source) > limit


@step
def hear(st: int, source: int, until: int) -> bool:
    """Take over a freshness record; return whether the source was stale and is so no longer."""
    was_stale = is_stale(st, source)
    s.set_fresh_until(st, source, max(s.fresh_until(st, source), until))
    return was_stale and not is_stale(st, source)


@inlined
def awaited_source(st: int, trigger: int) -> int:
    """Return the source of the rows whose absence an absence trigger rests on."""
    return s.metric_source(st, s.trigger_of(st, trigger))
