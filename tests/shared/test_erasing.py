"""Customers are erased while lanes are at work: what comes of it is one of the two orders, and stays so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from streams.live import append_ticks
from streams.personal import vault
from streams.personal.seal import unseal
from streams.shared.desk import Desk
from streams.shared.index import Index
from streams.shared.vault import SharedVault
from tests.called import SECRET
from tests.laws.effort import LONG
from tests.shared.erasures import WHOM, Erasures, Persons, called, one_log, opened, sealed_before
from tests.shared.simulation import held_behind
from tests.shared.small_shop import START_MS
from tests.shared.test_deliveries import same

SEEDS = 1000 if LONG else 12
CHANGES, ERASED = 25, 4
MINUTE = START_MS // 60_000 + 1


@pytest.fixture(autouse=True)
def keys_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two keys are the same: also not that of who was erased and comes again."""
    monkeypatch.setattr(vault, "fresh_key", lambda _: os.urandom(32))


def runs(
    client: redis.Redis, seeds: range, crashes: float = 0.0, losses: float = 0.0
) -> Iterator[tuple[int, Erasures]]:  # fmt: skip
    for seed in seeds:
        client.flushall()
        feed = Persons(seed, lanes=1).write(CHANGES)
        yield seed, Erasures(feed, client, seed, ERASED).run(crashes, losses, moves=0.1)


def differences(seed: int, run: Erasures, folder: Path) -> list[str]:
    """Return in what a run differs from one log that took the same in the order of its commits."""
    found = []
    with one_log(run.shop, run.feed, run.order, folder / str(seed)) as log:
        if run.opened() != opened(log.vault, run.shop, [list(log.blocks(0))]):
            found.append("rows")
        if run.references() != called(log):
            found.append("references")
        append_ticks(log, MINUTE)
        same(run.held(MINUTE, folder / f"{seed}.cluster"), held_behind(log, run.shop))
    shared = SharedVault(SECRET, run.index)
    for customer in WHOM:
        gone = sealed_before(run.topic.log, customer)
        if any(unseal(shared, what, [customer], [text])[0] is not None for what, text in gone):
            found.append("what was erased can be read")
    before = run.dump()
    run.client.flushall()
    run.settle()
    if run.dump() != before:
        found.append("the index that is made from the log alone")
    return found


def test_without_forgetting_keys_when_lanes_are_let_go_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that seals under the key of who was erased meanwhile."""
    monkeypatch.setattr(Desk, "let_go", lambda _: None)
    assert any(is_other(client, seed, tmp_path) for seed in range(7000, 7040))


def test_without_a_new_life_of_the_index_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One who erased ends behind the transaction, and nobody learns of it."""
    monkeypatch.setattr(Index, "end_life", lambda *_: None)
    assert any(is_other(client, seed, tmp_path) for seed in range(7000, 7040))


def is_other(client: redis.Redis, seed: int, folder: Path) -> bool:
    """Say whether a run differs from one log, or leaves what cannot be read."""
    try:
        [(_, run)] = runs(client, range(seed, seed + 1), crashes=0.1)
        return bool(differences(seed, run, folder))
    except AssertionError:
        return True


@pytest.mark.parametrize(("crashes", "losses"), [(0, 0), (0.15, 0), (0.1, 0.02)])
def test_erasures_at_any_moment_come_to_one_of_the_orders(
    client: redis.Redis, tmp_path: Path, crashes: float, losses: float
) -> None:
    """A seed that fails is printed, and fails again."""
    first = int(1000 * (crashes + 10 * losses))
    seeds = range(first, first + SEEDS)
    found = {seed: differences(seed, run, tmp_path) for seed, run in runs(client, seeds, crashes, losses)}
    assert {seed: one for seed, one in found.items() if one} == {}
