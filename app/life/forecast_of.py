"""What a trigger's forecast could be: three times the busiest span that it has had, in shadow or live."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.life.gate import past_of_log
from app.log_folder import data_folder, open_log
from app.shop import Shop
from profiles.windows import parse_length
from sinks.deliveries.forecast import busiest, suggested
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.shadow import acts_by_minute
from streams.log.log import FILE_NAME
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


def suggest_forecast(folder: Path, shop: Shop, name: str, within: str) -> Suggestion:
    """Return a forecast for a trigger by what it has done: its rule in shadow, and all that it did live."""
    counts: Counter[int] = Counter()
    data = data_folder(folder, shop)
    with contextlib.closing(Ledger(data)) as ledger:
        for minute, number in acts_by_minute(ledger.connection, name, _versions(folder, shop, name)):
            counts[minute] += number
    most, ended = busiest(counts, parse_length(within))
    return Suggestion(suggested(most), within, most, ended, counts.total())


def _versions(folder: Path, shop: Shop, name: str) -> Sequence[str]:
    """Return the versions in which a trigger's rule ran in shadow."""
    if not (data_folder(folder, shop) / FILE_NAME).exists():
        return ()
    with open_log(folder, shop) as log:
        run = run_of(past_of_log(log), name, shop.triggers[name])
    return run.versions if run else ()
