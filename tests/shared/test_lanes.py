"""Lanes that work at the same time, end at any step and lose the index come to what one log comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from streams.shared import scripts
from streams.shared.index import Index
from tests.laws.effort import LONG
from tests.shared.simulation import Simulation, embedded
from tests.shared.small_shop import Feed, small_shop

SEEDS = 2500 if LONG else 50  # of each of the four kinds
CHANGES = 20


def differing(
    client: redis.Redis, folder: Path, seeds: range, crashes: float, losses: float
) -> Iterator[int]:
    """Yield the seeds whose lanes come to something else than one log."""
    for seed in seeds:
        client.flushall()
        shop, feed = small_shop(), Feed(seed, lanes=1).write(CHANGES)
        simulation = Simulation(shop, feed, client, seed).run(crashes, losses)
        if simulation.rows() != embedded(shop, feed, folder / str(seed)):
            yield seed


@pytest.mark.parametrize(("crashes", "losses"), [(0, 0), (0.1, 0), (0, 0.02), (0.2, 0.03)])
def test_whatever_interleaves_ends_or_is_lost_the_log_says_the_same(
    client: redis.Redis, tmp_path: Path, crashes: float, losses: float
) -> None:
    """A seed that fails is printed, and fails again."""
    first = int(1000 * (crashes + 10 * losses))
    assert list(differing(client, tmp_path, range(first, first + SEEDS), crashes, losses)) == []


def test_without_the_marks_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows under each other that two lanes write at once: the test above would see it."""
    reserve = scripts.RESERVE.replace("for i = 1, #marks do\n  local there", "for i = 1, 0 do\n  local there")
    assert reserve != scripts.RESERVE
    monkeypatch.setattr(scripts, "RESERVE", reserve)
    assert any(True for _ in differing(client, tmp_path, range(60), 0, 0))


def test_without_comparing_what_was_seen_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that goes on although what it looked up has changed."""
    reserve = scripts.RESERVE.replace("for i = 1, #rows, 2 do", "for i = 1, 0 do")
    assert reserve != scripts.RESERVE
    monkeypatch.setattr(scripts, "RESERVE", reserve)
    assert any(True for _ in differing(client, tmp_path, range(60), 0, 0))


def test_without_recovering_the_index_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner that ended between log and index, whose successor goes on as if nothing were missing."""
    monkeypatch.setattr(Index, "fill", lambda *_: None)
    assert any(True for _ in differing(client, tmp_path, range(60), 0.2, 0))
