"""Decisions of a cluster beside their topic and the ledger: what is missing, twice, or something else is
found, and what nobody keeps any more is not missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.cluster.recount import Stretch
from app.cluster.told import ToldDecisions
from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.shadow import to_count
from sinks.topics.names import DECISIONS
from tests.sinks.dispatching import decided, route

FIGURES = {"figures": {"acted": 2}}


def made(number: int, **changed: Any) -> Decision:
    """Return a decision of partition 2; its step is ten times its number."""
    return decided(number, partition=2, step=10 * number, **changed)


MADE = [
    made(1), made(2, outcome="refused", guard="cap", **FIGURES), made(3, status="shadow", **FIGURES), made(4),
    made(5),
]  # fmt: skip


def of_ledger(decisions: Sequence[Decision]) -> list[Decision]:
    """Return what the sender takes over of them."""
    return [
        to_count(one) if one.status == "shadow" else one for one in decisions if one.outcome == "act"
    ]


@contextmanager
def stretch(
    folder: Path, told: Sequence[Decision], held: Sequence[Decision], until: int = 5, read: int = 5
) -> Iterator[Stretch]:
    """Give the topic's one partition these decisions, and the ledger those. until: the last effect that was
    told; read: the offset up to which the sender has read."""
    topic, first = ToldDecisions(folder / "told.sqlite", 1, [-1, -1, until]), 0
    topic.take(0, [(first + at, msgspec.json.encode(one)) for at, one in enumerate(told)])
    with closing(Ledger(folder)) as ledger, closing(topic):
        taken = [(one, None if one.status == "shadow" else route()) for one in held]
        ledger.take(DECISIONS, taken, {0: read})
        yield Stretch(2, topic, ledger)


def found(one: Stretch, decisions: Sequence[Decision] = MADE, step: int = 1000) -> list[tuple[int, str]]:
    """Return at which decision what differs, once the replay has given these."""
    wrong = [wrong for decision in decisions for wrong in one.check(decision, "")]
    named = [(*said["what"].split(", "), said["held"]) for said in (*wrong, *one.left(step))]
    return [
        (int(name.split()[1], 16), f"{where} {said if isinstance(said, str) else 'other'}")
        for name, where, said in named
    ]


def test_what_is_told_and_held_as_it_comes_out_differs_nowhere(tmp_path: Path) -> None:
    with stretch(tmp_path, MADE, of_ledger(MADE)) as one:
        assert found(one) == []
        assert (one.told.found, one.held.found) == (5, 4)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda told: told[:1] + told[2:], [(2, "topic none")]),
        (lambda told: [*told, told[1]], [(2, "topic twice")]),
        (lambda told: [*told[:4], replace(told[4], guard="cap")], [(5, "topic other")]),
        (lambda told: [*told, made(9)], [(9, "topic act")]),
        (lambda told: told[2:], []),  # the topic has forgotten the first
        (lambda told: told[:4], [(5, "topic none")]),
    ],
)
def test_a_topic_that_says_something_else_is_found(
    tmp_path: Path, change: Callable[[list[Decision]], list[Decision]], wanted: list[tuple[int, str]]
) -> None:
    with stretch(tmp_path, change(MADE), of_ledger(MADE)) as one:
        assert found(one) == wanted


def test_what_is_not_told_or_read_yet_is_not_missed(tmp_path: Path) -> None:
    with stretch(tmp_path, MADE[:4], of_ledger(MADE[:3]), until=4, read=3) as one:
        assert found(one) == []


def test_what_came_out_behind_the_end_of_the_replay_is_not_held_against_it(tmp_path: Path) -> None:
    with stretch(tmp_path, [*MADE, made(9)], of_ledger([*MADE, made(9)])) as one:
        assert found(one, step=90) == []


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda held: [held[0], *held[2:]], []),  # of shadow nothing is to be sent
        (lambda held: held[:2] + held[3:], [(4, "ledger none")]),
        (lambda held: held[1:], []),  # it has begun later
        (lambda held: [replace(held[0], values={"n": 1}), *held[1:]], [(1, "ledger other")]),
        (lambda held: [*held, made(9)], [(9, "ledger act")]),
        (lambda held: [decided(7, partition=2, step=-1, seq=-1), *held], []),  # carried over, and nowhere
    ],
)
def test_a_ledger_that_says_something_else_is_found(
    tmp_path: Path, change: Callable[[list[Decision]], list[Decision]], wanted: list[tuple[int, str]]
) -> None:
    """As of a decision to act that was read, and is not there: nobody sends it."""
    with stretch(tmp_path, MADE, change(of_ledger(MADE))) as one:
        assert found(one) == wanted
