"""Feeds as they are: a third is one customer's, some comes twice, out of order, late, by clocks that differ.

Many deliveries, in one process: tests/shared/test_deliveries.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.servers.places import Place
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, settle
from tests.servers.cluster import cluster
from tests.shared.disturbed import HEAVY, MINUTE_MS, SKEW_MS, Disturbed, delivered, share


@pytest.mark.parametrize("seed", range(5 if LONG else 1))
def test_a_delivery_out_of_order_comes_to_what_the_one_in_order_comes_to(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path, seed: int
) -> None:
    start = now_ms() - SKEW_MS - MINUTE_MS  # so that no row is dated after what the broker says
    feed = Disturbed(6, start_ms=start).write(5_000 if LONG else 400)
    assert share(feed, HEAVY) > 0.3
    with cluster(kafka, redis_server, name, tmp_path) as shop:
        shop.start("a")
        shop.start("b")
        shop.send(delivered(feed, seed))
        settle(shop, tmp_path, seconds=600)
        check(shop, feed, tmp_path, minute=now_ms() // MINUTE_MS)
