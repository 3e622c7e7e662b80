"""Workers that come and go, one every few seconds: no number is wrong, and what stays keeps its state."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.places import Place
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, send_more, settle
from tests.servers.cluster import Cluster, cluster
from tests.servers.staleness import Probe
from tests.shared.small_shop import Feed

EVERY_SECONDS, TIMES = 15, 40


@pytest.fixture
def shop(kafka: Place, redis_server: Place, name: str, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(kafka, redis_server, name, tmp_path) as made:
        yield made


def epochs(shop: Cluster) -> list[int]:
    """Return how often each partition was claimed."""
    return [head.epoch for head in shop.heads()]


def test_a_partition_that_stays_with_its_worker_keeps_its_state(shop: Cluster, tmp_path: Path) -> None:
    """Of four partitions a second worker gets two; the other two are not begun anew."""
    feed = Feed(21, start_ms=now_ms())
    shop.start("a")
    send_more(shop, feed, 100)
    settle(shop, tmp_path)
    before = epochs(shop)
    shop.start("b")
    shop.wait(lambda: sum(epochs(shop)) >= sum(before) + 2, "two partitions with the other")
    send_more(shop, feed, 100)
    settle(shop, tmp_path)
    claimed = [now - then for now, then in zip(epochs(shop), before, strict=True)]
    assert sorted(claimed) == [0, 0, 1, 1]
    check(shop, feed, tmp_path)


def change(shop: Cluster, rng: random.Random) -> str:
    """Add, stop or kill a worker, so that one to three are there; return what was done."""
    running = sorted(shop.workers)
    if len(running) == 1 or (len(running) == 2 and rng.random() < 0.5):
        name = next(one for one in "abcd" if one not in running)
        shop.start(name)
        return f"{name} added"
    name = rng.choice(running)
    one = shop.workers.pop(name)
    if rng.random() < 0.5:
        one.kill()
        return f"{name} killed"
    # one that was added just now may be told while Python still imports: it holds nothing, and just ends
    assert one.stop() in (0, -signal.SIGTERM)
    return f"{name} stopped"


@pytest.mark.skipif(not LONG, reason="minutes long: make test-faults")
def test_workers_that_come_and_go_leave_no_number_wrong(shop: Cluster, tmp_path: Path) -> None:
    rng, feed = random.Random(22), Feed(22, start_ms=now_ms())
    probe, done = Probe(shop, feed), []
    shop.start("a")
    shop.start("b")
    send_more(shop, feed, 100)
    probe.write()
    settle(shop, tmp_path)
    for _ in range(TIMES):
        done.append(change(shop, rng))
        send_more(shop, feed, 30)
        until = time.monotonic() + EVERY_SECONDS
        while time.monotonic() < until:
            probe.write()
            probe.look()
            time.sleep(0.5)
    settle(shop, tmp_path, seconds=180)
    said = f"partitions were claimed {sum(epochs(shop))} times"
    sys.stdout.write(f"{', '.join(done)}; {probe.said()}; {said}\n")
    check(shop, feed, tmp_path)
