"""Guards against their second reading, over random worlds: every decision is counted over again (D5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.outcome import Decision
from reference.guards import Declared, Recount
from tests.laws.effort import effort
from tests.laws.run import run
from tests.laws.shops import Small, small
from tests.laws.strategies import entries, numbers, waits, write
from tests.laws.world import RECEIPT, Log, Record, customer_id, frames_of

lives = entries(24, waits)


def recount(world: Small) -> Recount:
    declared = Declared(world.shop.triggers, world.shop.settings.guards, world.shop.settings.zone)
    return Recount(declared, lambda _: declared, {})


def control(world: Small, log: Log, partitions: int) -> pd.DataFrame:
    return frames_of(world, log, partitions)[1]


def with_receipts(log: Log, made: list[Decision], random: Any) -> Log:
    """Return the log with receipts of some decisions to act, some minutes after them, some told twice."""
    numbers_of = {customer_id(number): number for number in range(1, 5)}
    found = list(log)
    for one in made:
        if one.outcome == "act" and random.random() < 0.5:
            said = {
                "decision": one.id, "trigger": one.trigger, "minute": one.minute, "cause": one.cause,
                "state": random.choice(["failed", "failed", "expired", "delivered"]),
            }  # fmt: skip
            for _ in range(random.choice([1, 2])):
                minute = one.minute + random.randrange(6)
                places = [i for i, record in enumerate(found) if record.minute > minute]
                at = places[0] if places else len(found)
                mode = found[at - 1].mode
                minute = max(minute, found[at - 1].minute)
                found.insert(at, Record(RECEIPT, minute, mode, numbers_of[one.customer], said=said))
    return found


@effort(40)
@given(numbers, lives, st.randoms(use_true_random=False), st.sampled_from([1, 4]))
def test_every_decision_is_what_its_guards_say(number: int, live: list[Any], random: Any, parts: int) -> None:
    """D5: receipts give slots back; one that speaks of a decision that is none any more gives nothing."""
    world = small(number)
    log = write(world.place, [], live)
    log = with_receipts(log, run(world, log, parts).outcome.decisions, random)
    made = run(world, log, parts).outcome.decisions
    assert recount(world).violations(made, control(world, log, parts)) == []


def busy(seed: int) -> list[Any]:
    """Return a live story in which every guard may come up."""
    random = Random(seed)
    found: list[Any] = []
    for _ in range(60):
        customer, said = random.randint(1, 4), {"amount": 3, "price": 50, "status": "y", "gift": None}
        order = ("orders", random.randint(0, 5), customer, 1, 0, 0, None, said | {"paid_at": None})
        view = ("clicks", random.randint(0, 5), customer, 1, 0, 0, None, {"seconds": 3, "page": "a"})
        what: list[Any] = [order, order, order, view, view]
        what += [("consent", customer, random.random() < 0.5, None)]
        what += [("switch", random.choice(["", "trigger/on_order"]), random.random() < 0.4)]
        found.append((random.randint(0, 3), random.choice(what)))
    return found


def test_busy_worlds_know_every_guard() -> None:
    seen: Counter[str] = Counter()
    for seed in range(24):
        world = small(seed % 4)
        log = write(world.place, [], busy(seed))
        made = run(world, log).outcome.decisions
        seen.update(one.guard or one.outcome for one in made)
        assert recount(world).violations(made, control(world, log, 1)) == []
    wanted = {"act", "consent", "kill_switch", "hold_out", "quiet_hours", "cool_down", "cap"}
    assert wanted <= seen.keys(), seen


def is_found_wrong(seed: int) -> bool:
    """Whether the second reading finds fault with a busy world in which half of what acts has receipts."""
    world = small(seed % 4)
    log = write(world.place, [], busy(seed))
    log = with_receipts(log, run(world, log).outcome.decisions, Random(seed))
    made = run(world, log).outcome.decisions
    return bool(recount(world).violations(made, control(world, log, 1)))


def test_in_busy_worlds_receipts_give_back_what_came_to_nothing() -> None:
    assert not any(map(is_found_wrong, range(24)))


@pytest.mark.parametrize("giving", [("failed",), ("failed", "expired", "delivered")])
def test_the_second_reading_sees_receipts_that_are_taken_for_others(
    giving: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slots that are kept, and slots that are given back by what arrived."""
    monkeypatch.setattr("streams.feed.GIVING_BACK", giving)
    assert any(map(is_found_wrong, range(24)))


@pytest.mark.parametrize("guard", ["hold_out", "quiet_hours", "cap", "kill_switch", "cool_down", "consent"])
def test_the_second_reading_sees_a_guard_that_was_passed_over(guard: str) -> None:
    """Let every refusal by the guard be an act: it is told."""
    for seed in range(40):
        world = small(seed % 4)
        log = write(world.place, [], busy(seed))
        made = run(world, log).outcome.decisions
        if not any(one.guard == guard and one.outcome == "refused" for one in made):
            continue
        spoilt = [
            replace(one, outcome="act", guard="") if one.guard == guard and one.outcome == "refused" else one
            for one in made
        ]
        assert recount(world).violations(spoilt, control(world, log, 1))
        return
    pytest.fail(f"no world has known {guard}")
