"""The store killed, with a part of its file, or all of it, lost: it comes to exactly the same again."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.places import Place
from deploy.servers.redis import Redis
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, send_more, settle
from tests.servers.cluster import Cluster, cluster
from tests.servers.own import OwnServer, own_server
from tests.shared.small_shop import Feed

KILLS = 20 if LONG else 3
FILES = "appendonlydir"


@pytest.fixture(scope="module")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(Redis(), tmp_path_factory.mktemp("redis") / "own") as found:
        yield found


def cut(server: OwnServer, share: float) -> int:
    """Cut this share of its bytes off the end of its append-only file; return how many."""
    [file] = (server.place.folder / FILES).glob("*.incr.aof")
    size = file.stat().st_size
    lost = int(size * share)
    os.truncate(file, size - lost)
    return lost


def test_a_store_killed_and_cut_comes_to_the_same_again(
    kafka: Place, store_server: OwnServer, name: str, tmp_path: Path
) -> None:
    """It has lost index, profiles and outbox of what came last; the last time it has lost everything."""
    rng, feed = random.Random(12), Feed(12, start_ms=now_ms())
    with cluster(kafka, store_server.place, name, tmp_path) as shop:
        shop.start("a")
        shop.start("b")
        send_more(shop, feed, 200)
        settle(shop, tmp_path)
        for time_ in range(KILLS):
            send_more(shop, feed, 2000 if LONG else 200)
            time.sleep(rng.random() * 3)  # at whatever they are then
            store_server.kill()
            if time_ == KILLS - 1:
                shutil.rmtree(store_server.place.folder / FILES)
            else:
                assert cut(store_server, rng.uniform(0.01, 0.5)) > 0
            store_server.start()
        send_more(shop, feed, 100)
        settle(shop, tmp_path, seconds=600 if LONG else 150)
        check(shop, feed, tmp_path)
        for number in range(KILLS):  # nobody heals it now
            store_server.kill()
            cut(store_server, rng.uniform(0.01, 0.5))
            store_server.start()
            check_as_of(shop, tmp_path / f"cut {number}")


def check_as_of(shop: Cluster, folder: Path) -> None:
    """What is served is what the heads say that it is: the profiles as of their step, which answers carry."""
    documents, _, _ = shop.recomputed(folder)
    assert shop.profiles() == documents
