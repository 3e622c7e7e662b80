"""What a trigger's forecast could be: three times the busiest span that it has had, in shadow or live."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from app.life.known import Known
from app.shop import Shop
from profiles.windows import parse_length
from sinks.deliveries.forecast import busiest, suggested
from sinks.deliveries.shadow import acts_by_minute
from triggers.past import run_of


@dataclass(frozen=True)
class Suggestion:
    """most, within: of `guards.forecast`; busiest: acts in the fullest span, which ended at that minute (-1:
    there was none); acts: all that were counted.
    """

    most: int
    within: str
    busiest: int
    ended: int
    acts: int


def suggest_forecast(known: Known, shop: Shop, name: str, within: str) -> Suggestion:
    """Return a forecast for a trigger by what it has done: its rule in shadow, and all that it did live."""
    counts: Counter[int] = Counter()
    run = run_of(known.past, name, shop.triggers[name])
    for minute, number in acts_by_minute(known.ledger, name, run.versions if run else ()):
        counts[minute] += number
    most, ended = busiest(counts, parse_length(within))
    return Suggestion(suggested(most), within, most, ended, counts.total())
