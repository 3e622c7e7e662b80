"""11.11: ten times as much at once. Memory stays bounded, nothing is lost, the lag goes back to nothing."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

from deploy.servers.places import Place
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, send_more
from tests.servers.cluster import cluster
from tests.shared.small_shop import Feed

CHANGES = 30_000 if LONG else 600  # of usual load; ten times as many in the burst
KEYS = 5_000 if LONG else 200
MOST = 1.5  # times the memory of before


class Wide(Feed):
    """Its rows stay whose they are: an order's member and a parcel's order do not change."""

    def _row(self, source: str, number: int, random_: random.Random) -> dict[str, Any]:
        row = super()._row(source, number, random_)
        whose = {"member": f"M{number}", "device": f"d{number}", "order": f"O{number}"}
        stays = {**whose, "parcel": f"P{number}"}
        return {name: stays.get(name, value) for name, value in row.items()}


def test_a_burst_of_ten_times_the_load_is_worked_off_in_bounded_memory(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path
) -> None:
    feed = Wide(31, start_ms=now_ms(), keys=KEYS)
    with cluster(kafka, redis_server, name, tmp_path) as shop:
        worker = shop.start("a")
        send_more(shop, feed, CHANGES)
        shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled", 600)
        usual, curve = worker.memory(), list[tuple[float, int, int]]()
        send_more(shop, feed, 10 * CHANGES)
        begun = time.monotonic()

        def is_worked_off() -> bool:
            waiting, memory = shop.lag(), worker.memory()
            curve.append((time.monotonic() - begun, waiting, memory))
            return waiting == 0 and shop.is_settled(tmp_path / "look")

        shop.wait(is_worked_off, "worked off", 1800)
        most = max(memory for *_, memory in curve)
        for seconds, waiting, memory in curve[:: max(1, len(curve) // 20)]:
            sys.stdout.write(f"{seconds:6.1f} s {waiting:8} waiting {memory / 1e6:6.0f} MB\n")
        assert curve[0][1] > 0
        assert most <= MOST * usual
        check(shop, feed, tmp_path)
