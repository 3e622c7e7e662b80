"""Killed between any two steps of a delivery: marketing is never twice, transactional never lost (P5)."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import pytest

from sinks.deliveries import lane
from tests.laws.effort import LONG
from tests.sinks.killed_dispatch import World

DECISIONS = 6
FINAL = {"sent", "delivered", "unknown"}  # nothing is refused for good in this world


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "BATCH", 2)


def faults(world: World, states: dict[int, str]) -> list[str]:
    """Return what a world has done wrong."""
    found = []
    for number in range(DECISIONS):
        out, state = world.out[f"{number:032x}"], states.get(number)
        if state not in FINAL:
            found.append(f"{number} is {state}")
        if world.purpose(number) == "marketing" and out > 1:
            found.append(f"marketing {number} is out {out} times")
        if world.purpose(number) == "transactional" and (out < 1 or state == "unknown"):
            found.append(f"transactional {number} is out {out} times, and {state}")
        if state in ("sent", "delivered") and out < 1:
            found.append(f"{number} is {state} and never came out")
    return found


def moments(folder: Path, seed: int) -> int:
    """Return how many moments there are to be killed at."""
    world = World(folder, (), seed, DECISIONS)
    assert faults(world, world.live_out()) == []
    return world.fate.moments


@pytest.mark.parametrize("seed", range(40 if LONG else 2))
def test_killed_once_at_each_single_moment(tmp_path: Path, seed: int) -> None:
    count = moments(tmp_path / "whole", seed)
    assert count > 30
    for kill in range(1, count + 1):
        world = World(tmp_path / str(kill), (kill,), seed, DECISIONS)
        states = world.live_out()
        assert world.lives == 2
        assert faults(world, states) == [], f"killed at {kill} of {count}"


def test_killed_at_any_two_moments(tmp_path: Path) -> None:
    count = moments(tmp_path / "whole", 0)
    pairs = list(combinations(range(1, count + 1), 2))
    for first, second in pairs if LONG else random.Random(1).sample(pairs, 24):
        world = World(tmp_path / f"{first} {second}", (first, second), 0, DECISIONS)
        assert faults(world, world.live_out()) == [], f"killed at {first} and {second} of {count}"


@pytest.mark.parametrize("seed", range(500 if LONG else 24))
def test_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = {at for at in range(1, 200) if chance.random() < 0.1}
    world = World(tmp_path, kills, seed, DECISIONS, providers=chance.choice([1, 2, 3]))
    assert faults(world, world.live_out()) == []


def test_without_the_claim_marketing_would_be_out_twice(tmp_path: Path) -> None:
    """The tests above would notice."""
    count = moments(tmp_path / "whole", 0)
    found = [
        fault
        for kill in range(1, count + 1)
        for world in [World(tmp_path / str(kill), (kill,), 0, DECISIONS, claims=False)]
        for fault in faults(world, world.live_out())
    ]
    assert any("marketing" in fault and "out 2 times" in fault for fault in found)
