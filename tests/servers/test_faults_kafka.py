"""The Kafka broker killed while workers take rows in: nothing lost, nothing twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.kafka import Kafka
from deploy.servers.places import Place
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, send_more, settle
from tests.servers.cluster import cluster
from tests.servers.own import OwnServer, own_server
from tests.shared.small_shop import Feed

KILLS = 10 if LONG else 1


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(Kafka(), tmp_path_factory.mktemp("kafka") / "own") as found:
        yield found


def test_a_broker_killed_while_rows_come_loses_nothing_and_doubles_nothing(
    broker: OwnServer, redis_server: Place, name: str, tmp_path: Path
) -> None:
    """Whatever transaction was open: lanes, relays and partitions go on where the log says."""
    rng, feed = random.Random(11), Feed(11, start_ms=now_ms())
    with cluster(broker.place, redis_server, name, tmp_path) as shop:
        shop.start("a")
        shop.start("b")
        send_more(shop, feed, 200)
        settle(shop, tmp_path)
        for _ in range(KILLS):
            send_more(shop, feed, 4000 if LONG else 300)
            time.sleep(rng.random() * 2)  # at whatever they are then
            broker.kill()
            time.sleep(rng.random() * 10 if LONG else 1)
            broker.start()
        send_more(shop, feed, 100)
        settle(shop, tmp_path, seconds=600 if LONG else 150)
        check(shop, feed, tmp_path)
