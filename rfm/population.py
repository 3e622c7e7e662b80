"""The population's values side by side, to be sorted for cut points (semantics R5)."""

from __future__ import annotations

from engine import state as s
from engine.jit import step
from rfm.scores import PACK


@step
def collect(st: int, model: int) -> int:
    """Write the values of everybody in the population into the columns gathered_*; return how many."""
    n = 0
    for c in range(s.customers_used(st)):
        at = c * s.models(st) + model
        if s.recent(st, at) >= 0:
            s.set_gathered_recent(st, n, s.recent(st, at) * PACK + c)
            s.set_gathered_frequency(st, n, s.frequency(st, at))
            s.set_gathered_monetary(st, n, s.monetary(st, at))
            n += 1
    return n
