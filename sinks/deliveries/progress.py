"""How far the messages of one trigger are: what was decided, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sinks.deliveries.ledger import Ledger
from sinks.deliveries.listing import Wanted, counts


@dataclass(frozen=True)
class Progress:
    """outcomes: decisions by outcome; guards: of those that were not to act, by the guard that refused or
    held them; deliveries: by state; last: when the last of those that wait leaves, in seconds since 1970;
    None where none waits, or all are paused."""

    outcomes: Mapping[str, int]
    guards: Mapping[str, int]
    deliveries: Mapping[str, int]
    last: float | None


def progress_of(ledger: Ledger, trigger: str) -> Progress:
    """Return how far a trigger's messages are. All decisions are gone through: about a second a million."""
    made = ledger.rows(
        "SELECT outcome, json_extract(CAST(body AS TEXT), '$.guard'), count(*) FROM decision "
        "WHERE json_extract(CAST(body AS TEXT), '$.trigger') = ?1 GROUP BY 1, 2 UNION ALL "
        "SELECT outcome, guard, sum(decisions) FROM shadow_count WHERE trigger = ?1 GROUP BY 1, 2 "
        "ORDER BY 1, 2", (trigger,),
    )  # fmt: skip
    found = counts(ledger.connection, Wanted(trigger=trigger))
    deliveries: dict[str, int] = {}
    for one in found:
        deliveries[one.state] = deliveries.get(one.state, 0) + one.deliveries
    last = max((one.last for one in found if one.last is not None), default=None)
    outcomes: dict[str, int] = {}
    guards: dict[str, int] = {}
    for outcome, guard, count in made:
        outcomes[outcome] = outcomes.get(outcome, 0) + count
        if guard:
            guards[guard] = guards.get(guard, 0) + count
    return Progress(outcomes, guards, dict(sorted(deliveries.items())), last)
