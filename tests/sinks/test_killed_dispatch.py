"""Killed between any two steps of a delivery: marketing is never twice, transactional never lost (P5)."""

from __future__ import annotations

import contextlib
import random
from itertools import combinations
from pathlib import Path

import pytest

from engine.outcome import Decision
from sinks.channels.message import Message
from sinks.channels.outcome import Outcome
from sinks.deliveries import lane
from sinks.deliveries.delivery import Route
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.pace import Pace
from sinks.deliveries.records import Position
from sinks.deliveries.switches import ask
from tests.laws.effort import LONG
from tests.sinks.dispatching import route
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
    assert count > 20
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


class PausedWorld(World):
    """Everything has a pace; another process pauses it when so many messages were handed over."""

    pause_at = 2
    asked = 0

    def answer(self, name: str, message: Message) -> Outcome:
        self.asked += 1
        if self.asked == self.pause_at:
            self.turn("paused")
        return super().answer(name, message)

    def turn(self, to: Position) -> None:
        with contextlib.closing(Ledger(self._folder)) as ledger:
            ask(ledger, "channel/sms", to, "a test", self._now)

    def _route(self, decision: Decision) -> Route:
        return route(self.purpose(decision.step), pace=Pace(2, 60))


@pytest.mark.parametrize("seed", range(60 if LONG else 6))
def test_killed_again_and_again_around_a_pause(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = {at for at in range(1, 200) if chance.random() < 0.1}
    world = PausedWorld(tmp_path, kills, seed, DECISIONS)
    world.pause_at = chance.randint(1, 5)
    waiting = [state for state in world.live_out().values() if state == "queued"]
    world.turn("on")
    assert faults(world, world.live_out()) == []
    assert waiting


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
