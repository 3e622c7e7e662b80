"""Many members use few devices: one that two lanes meet at the same moment makes nobody one (I2)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.laws.effort import LONG
from tests.shared.simulation import Simulation, embedded
from tests.shared.small_shop import Feed, small_shop

SEEDS = 1000 if LONG else 4
KEYS, CHANGES = 12, 40


class FewDevices(Feed):
    """An order's member and a parcel's order do not change; five devices see all members."""

    def _row(self, source: str, number: int, random_: random.Random) -> dict[str, Any]:
        row = super()._row(source, number, random_)
        stays = {"member": f"M{number}", "order": f"O{number}", "parcel": f"P{number}"}
        return {name: stays.get(name, value) for name, value in row.items()}


def differing(client: redis.Redis, folder: Path, crashes: float, losses: float) -> Iterator[int]:
    """Yield the seeds whose lanes come to other customers than one log."""
    for seed in range(SEEDS):
        client.flushall()
        shop, feed = small_shop(), FewDevices(seed, keys=KEYS).write(CHANGES)
        simulation = Simulation(shop, feed, client, seed).run(crashes, losses)
        if simulation.rows() != embedded(shop, feed, folder / str(seed)):
            yield seed


@pytest.mark.parametrize(("crashes", "losses"), [(0, 0), (0.1, 0), (0.05, 0.01)])
def test_members_who_share_a_device_stay_apart(
    client: redis.Redis, tmp_path: Path, crashes: float, losses: float
) -> None:
    """A seed that fails is printed, and fails again."""
    assert list(differing(client, tmp_path, crashes, losses)) == []
