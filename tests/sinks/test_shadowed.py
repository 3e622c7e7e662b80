"""Decisions in shadow that are counted come to what the same ones do that are kept."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.progress import progress_of
from sinks.deliveries.records import Shadowed, decoded, encoded
from sinks.deliveries.shadow import Shadow, acts_by_minute, shadow_of
from sinks.deliveries.shadowed import counted
from tests.sinks.dispatching import MINUTE, decided


def some(chance: random.Random, number: int) -> list[Decision]:
    """Return decisions in shadow of whatever kind, each of its own id."""
    found = []
    for one in range(number):
        outcome = chance.choice(["act", "act", "refused", "held", "contradicted"])
        guard = chance.choice(["cap", "consent"]) if outcome == "refused" else ""
        found.append(decided(
            one, status="shadow", outcome=outcome, guard=guard, customer=f"{chance.randrange(30):032x}",
            trigger=chance.choice(["a", "b"]), version=chance.choice(["v", "w"]),
            minute=MINUTE + chance.randrange(9),
        ))  # fmt: skip
    return found


def said(ledger: Ledger) -> list[tuple[Shadow, Counter[int]]]:
    """Return what the gate and forecasts ask of what is in shadow."""
    found = []
    for trigger in ("a", "b"):
        for versions in (["v"], ["v", "w"], []):
            minutes: Counter[int] = Counter()
            for minute, number in acts_by_minute(ledger.connection, trigger, versions):
                minutes[minute] += number
            found.append((shadow_of(ledger.connection, trigger, versions), minutes))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_the_decisions_themselves(seed: int, tmp_path: Path) -> None:
    """However they came in pieces, and also where a former release has kept some of them."""
    chance = random.Random(seed)
    made = some(chance, 200)
    kept, counting, both = (Ledger(tmp_path / name) for name in ("kept", "counting", "both"))
    kept.take("decisions", [(one, None) for one in made], {})
    both.take("decisions", [(one, None) for one in made[:90]], {})
    at = 0
    while at < len(made):
        piece = made[at : at + chance.randint(1, 40)]
        counting.take("decisions", [], {}, counted(counting.connection, piece))
        at += len(piece)
    both.take("decisions", [], {}, counted(both.connection, made[90:]))
    assert said(counting) == said(both) == said(kept)
    for trigger in ("a", "b"):  # and how far a broadcast is
        wanted = progress_of(kept, trigger)
        assert progress_of(counting, trigger) == progress_of(both, trigger) == wanted
        assert wanted.guards.keys() == {"cap", "consent"}
    assert {one.act > one.customers > 0 for one, _ in said(kept)[:2]} == {True}
    assert counting.rows("SELECT number FROM decision") == []
    for ledger in (kept, counting, both):
        ledger.close()


def test_a_record_names_a_customer_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    first = [decided(1, status="shadow"), decided(2, status="shadow", customer=decided(1).customer)]
    record = counted(ledger.connection, first)
    assert record == Shadowed(
        [("win_back", "v", "act", "", 2)], [("win_back", "v", MINUTE, 2)],
        [("win_back", "v", [decided(1).customer])],
    )  # fmt: skip
    ledger.do(record)
    again = counted(ledger.connection, [decided(3, status="shadow", customer=decided(1).customer)])
    assert again == Shadowed([("win_back", "v", "act", "", 1)], [("win_back", "v", MINUTE, 1)], [])
    assert decoded(encoded([record])) == [record]
    assert counted(ledger.connection, []) is None
    ledger.close()
