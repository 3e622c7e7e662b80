"""A customer's recency, frequency and monetary values, read from their metrics (semantics R1, R2)."""

from __future__ import annotations

from engine import state as s
from engine.jit import step
from profiles import metrics
from rfm.scores import FREQUENCY, MONETARY, RECENCY


@step
def read_values(st: int, c: int, model: int) -> None:
    """Take over what the metrics say; note which measures of the population have changed."""
    at = c * s.models(st) + model
    recent, frequency, monetary = s.NONE_MINUTE, 0, 0
    if metrics.is_known(st, c, s.model_recency(st, model)):
        recent = metrics.read(st, c, s.model_recency(st, model))
        frequency = metrics.read(st, c, s.model_frequency(st, model))
        for k in range(s.model_money(st, model), s.model_money(st, model + 1)):
            monetary += s.money_sign(st, k) * metrics.read(st, c, s.money_metric(st, k))
    before = s.recent(st, at)
    changed = 0
    if (before < 0) != (recent < 0):
        changed = RECENCY | FREQUENCY | MONETARY
    elif before != recent:
        changed = RECENCY
    if s.frequency(st, at) != frequency:
        changed |= FREQUENCY
    if s.monetary(st, at) != monetary:
        changed |= MONETARY
    if changed == 0:
        return
    s.set_recent(st, at, recent)
    s.set_frequency(st, at, frequency)
    s.set_monetary(st, at, monetary)
    s.set_population_changed(st, model, s.population_changed(st, model) | changed)
