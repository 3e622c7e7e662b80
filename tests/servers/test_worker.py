"""Workers on real Kafka and a real store: what they come to equals a recompute, whatever happens to them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deploy.servers.places import Place
from rfm.cuts import order_statistics
from streams.log.rows import read_rows
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, send_more, settle
from tests.servers.cluster import PARTITIONS, Cluster, cluster
from tests.shared.small_shop import KEYS, PARENTS, Feed


@pytest.fixture
def shop(kafka: Place, redis_server: Place, name: str, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(kafka, redis_server, name, tmp_path) as made:
        yield made


def test_what_a_worker_takes_in_is_in_the_store_as_a_recompute_has_it(shop: Cluster, tmp_path: Path) -> None:
    """And a worker that ends when asked leaves nothing half done."""
    feed = Feed(1, start_ms=now_ms()).write(400)
    shop.start("a")
    shop.send(feed)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    check(shop, feed, tmp_path)


def test_a_worker_that_is_ended_while_it_starts_ends_at_once(shop: Cluster) -> None:
    one = shop.start("a")
    shop.wait(lambda: "Ctrl-C ends it" in one.log.read_text(), "it starts")
    assert one.stop() == 0


@dataclass(frozen=True)
class Kills:
    """Bursts of kills within three seconds, so many changes before each."""

    bursts: int
    kills: int
    changes: int
    partitions: int
    keys: int
    members: int


KILLS = Kills(10, 5, 100_000, 8, 5_000, 2_000) if LONG else Kills(2, 3, 500, PARTITIONS, KEYS, 5)


def test_workers_killed_again_and_again_lose_nothing_and_double_nothing(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path
) -> None:
    """Three workers, killed at random while rows come; what they had is taken over by the others."""
    rng = random.Random(5)
    feed = Feed(5, start_ms=now_ms(), keys=KILLS.keys, members=KILLS.members)
    names = ("a", "b", "c")
    with cluster(kafka, redis_server, name, tmp_path, partitions=KILLS.partitions) as shop:
        for one in names:
            shop.start(one)
        for _ in range(KILLS.bursts):
            send_more(shop, feed, KILLS.changes - len(PARENTS) * KILLS.keys)
            time.sleep(rng.random() * 10)  # at whatever they are then
            for _ in range(KILLS.kills):
                time.sleep(rng.random() * 6 / KILLS.kills)
                killed = rng.choice(names)
                shop.workers[killed].kill()
                shop.start(killed)
        settle(shop, tmp_path, seconds=1800 if LONG else 180)
        check(shop, feed, tmp_path)


def test_a_worker_that_was_paused_past_its_session_writes_nothing_any_more(
    shop: Cluster, tmp_path: Path
) -> None:
    """What it had is another's by then: it is refused, and goes on with what it is given."""
    feed = Feed(6, start_ms=now_ms())
    paused = shop.start("a")
    send_more(shop, feed, 200)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    paused.pause()
    shop.start("b")
    send_more(shop, feed, 200)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled by the other", 120)
    epochs = [head.epoch for head in shop.heads()]
    assert all(epoch >= 2 for epoch in epochs)
    paused.go_on()
    send_more(shop, feed, 200)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled by both", 120)
    check(shop, feed, tmp_path)


def test_a_store_that_lost_everything_is_filled_again(shop: Cluster, tmp_path: Path) -> None:
    """The index too: rows that come then find their customers as before."""
    feed = Feed(7, start_ms=now_ms())
    shop.start("a")
    shop.start("b")
    for _ in range(3):
        send_more(shop, feed, 150)
        time.sleep(2)  # while they are at it
        shop.empty_store()
        send_more(shop, feed, 50)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled", 120)
    check(shop, feed, tmp_path)


def test_settings_that_are_applied_hold_in_every_partition_from_a_record_on(
    shop: Cluster, tmp_path: Path
) -> None:
    """A tag's rule is changed while the worker runs; who is in it then follows from the log alone."""
    feed = Feed(8, start_ms=now_ms())
    shop.start("a")
    send_more(shop, feed, 150)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    tag = shop.folder / "shop" / "tags" / "big.yaml"
    tag.write_text("rule: sum(orders.amount) > 1\n", "utf-8")
    assert "number 2" in shop.command("apply", str(shop.folder / "shop"))
    shop.wait(
        lambda: all("big" in one["tags"] for one in shop.profiles().values() if spent(one) > 1), "applied"
    )
    send_more(shop, feed, 100)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    shop.workers["a"].kill()
    shop.start("b")  # it has no copy: all is read again, and must come to the digest that the store has
    send_more(shop, feed, 50)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled by another", 120)
    check(shop, feed, tmp_path, but={"truth"})


def spent(profile: dict[str, Any]) -> int:
    return int(profile["metrics"]["spent"])


def test_cut_points_of_all_partitions_are_in_every_log(shop: Cluster, tmp_path: Path) -> None:
    """Two workers report, one reduces; the numbers equal those of the whole population (semantics R5)."""
    feed = Feed(9, start_ms=now_ms())
    shop.start("a")
    shop.start("b")
    send_more(shop, feed, 300)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")

    def are_cut() -> bool:  # a minute may have opened before the first order
        return all(one and one[-1]["models"]["rfm"]["size"] for one in shop.cuts(tmp_path / "look"))

    shop.wait(are_cut, "cut points", 150)
    shop.stop()
    copies = shop.copies(tmp_path / "whole")
    newest = [cuts[-1] for cuts in shop.cuts(tmp_path / "look")]
    assert len({cuts["minute"] for cuts in newest}) >= 1
    orders = [
        one for copy in copies
        for one in read_rows(copy.log, shop.shop.sources["orders"], until_minute=newest[0]["minute"] - 1)
        .sort_values(["epoch", "position", "offset"]).drop_duplicates(["key_high", "key_low"], keep="last")
        .query("op not in (3, 5)").to_dict("records")
    ]  # fmt: skip
    amounts = pd.DataFrame(orders).groupby("customer")["amount"].agg(["count", "sum"])
    said = newest[0]["models"]["rfm"]
    assert said["size"] == len(amounts)
    for measure, column in (("frequency", "count"), ("monetary", "sum")):
        ascending = np.sort(amounts[column].to_numpy().astype(np.int64))
        wanted = [[one.below, one.above, one.part] for one in order_statistics(ascending, 3)]
        assert said[measure] == wanted


def test_a_paused_worker_to_which_its_partitions_come_back_begins_anew(shop: Cluster, tmp_path: Path) -> None:
    """Another had them meanwhile, and ended: what the first one kept of them is old."""
    feed = Feed(10, start_ms=now_ms())
    paused = shop.start("a")
    send_more(shop, feed, 100)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    paused.pause()
    other = shop.start("b")
    send_more(shop, feed, 100)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled by the other", 120)
    other.kill()
    paused.go_on()
    send_more(shop, feed, 100)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled by the first", 120)
    check(shop, feed, tmp_path)
