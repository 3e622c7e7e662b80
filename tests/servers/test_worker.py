"""Workers on real Kafka and a real store: what they come to equals a recompute, whatever happens to them."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deploy.servers.places import Place
from rfm.cuts import order_statistics
from streams.log.rows import read_rows
from tests.laws.effort import LONG
from tests.servers.cluster import Cluster, cluster
from tests.shared.simulation import held as held_of
from tests.shared.small_shop import Feed


def now_ms() -> int:
    return int(time.time()) // 60 * 60_000


@pytest.fixture
def shop(kafka: Place, redis_server: Place, name: str, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(kafka, redis_server, name, tmp_path) as made:
        yield made


def send_more(shop: Cluster, feed: Feed, changes: int) -> None:
    """Change rows and send what came of it."""
    before = {place: len(messages) for place, messages in feed.topics.items()}
    feed.write(changes)
    more = {place: messages[before.get(place, 0) :] for place, messages in feed.topics.items()}
    shop.send(Feed(0, topics=more))


def check(shop: Cluster, feed: Feed, folder: Path, but: Collection[str] = ()) -> None:
    """The profiles equal the recompute from the log; what is counted equals that from the sources' messages;
    each effect of the log is in its topic once, in order."""
    shop.stop()
    documents, held, effects = shop.recomputed(folder / "whole")
    assert shop.profiles() == documents
    assert shop.tag_changes() == effects
    wanted = held_of(shop.shop, feed, folder / "sources")
    for name in {"metrics", "truth"} - set(but):
        mine = held[name].reindex(columns=wanted[name].columns)
        columns = [one for one in mine.columns if not str(one).startswith("rfm")]
        pd.testing.assert_frame_equal(wanted[name][columns], mine[columns], check_dtype=False, obj=name)


def test_what_a_worker_takes_in_is_in_the_store_as_a_recompute_has_it(shop: Cluster, tmp_path: Path) -> None:
    """And a worker that ends when asked leaves nothing half done."""
    feed = Feed(1, start_ms=now_ms()).write(400)
    shop.start("a")
    shop.send(feed)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    check(shop, feed, tmp_path)


def test_workers_killed_again_and_again_lose_nothing_and_double_nothing(
    shop: Cluster, tmp_path: Path
) -> None:
    """Three workers, killed at random while rows come; what they had is taken over by the others."""
    rng, feed = random.Random(5), Feed(5, start_ms=now_ms())
    names = ("a", "b", "c")
    for name in names:
        shop.start(name)
    for _ in range(50 if LONG else 5):
        send_more(shop, feed, 2000 if LONG else 200)
        name = rng.choice(names)
        time.sleep(rng.random() * 3)  # at whatever it is then
        shop.workers[name].kill()
        shop.start(name)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled", 1800 if LONG else 180)
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
    shop.wait(lambda: all(shop.cuts(tmp_path / "look")), "cut points", 150)
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
