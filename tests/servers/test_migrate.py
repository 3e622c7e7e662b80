"""An embedded shop is brought into a cluster: profiles equal, and what comes later finds its customers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import app.migrating.migrate
from app.load import load_shop
from app.migrating.former import embedded as embedded_former
from app.migrating.migrate import Migration
from app.replay import Replay
from app.worker.place import cluster_place
from deploy.servers.places import Place
from engine.documents import documents
from sinks.coupons.codes import load
from sinks.deliveries.ledger import Ledger
from streams.errors import InputError
from streams.identity.parked import count_parked
from streams.live import append_ticks
from streams.log.log import Log
from streams.migrate.former import windows
from streams.migrate.send import Sender
from tests.called import SECRET
from tests.servers.checked import now_ms, send_more
from tests.servers.cluster import PARTITIONS, Cluster, cluster
from tests.servers.migrated import check_goes_on, codes_of, drained_of, is_settled, profiles_of
from tests.shared.simulation import taken_in
from tests.shared.small_shop import Feed

CODES = [f"C{at}" for at in range(1200)]
LATE = "orders/1"  # of this lane nothing has come before the migration: its rows' children wait for them


@pytest.fixture
def shop(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    with cluster(kafka, redis_server, name, tmp_path) as made:
        for variable in ("TINTYPE_KAFKA", "TINTYPE_STORE", "TINTYPE_SECRET"):
            monkeypatch.setenv(variable, made.environment[variable])
        yield made


def embedded(shop: Cluster, feed: Feed, folder: Path) -> None:
    """Let an embedded shop of the same declarations take a feed in, but for a lane."""
    early = {place: messages for place, messages in feed.topics.items() if not place.endswith(LATE)}
    shop_folder = load_shop(shop.folder / "shop")
    declared = shop_folder.model_copy(
        update={"settings": shop_folder.settings.model_copy(update={"partitions": 1})}
    )
    with taken_in(declared, Feed(0, topics=early, start_ms=feed.start_ms), folder, settings=True) as log:
        append_ticks(log, feed.start_ms // 60_000 + 1)
        assert count_parked(log)["parcels"] > 0


def before(shop: Cluster, former: Path) -> dict[str, Any]:
    """Return the profiles of the embedded shop at its end, where the minute behind it is opened."""
    with Log.open(former) as log:
        replay = Replay(log, shop.shop, lambda *_: None)
        replay.follow()
        replay.engine.advance(replay.engine.clock + 1, 1)
    partition = replay.engine.partitions[0]
    everybody = np.arange(partition.customers, dtype=np.int32)
    encode, decode = msgspec.json.encode, msgspec.json.decode
    return {id_.hex(): decode(encode(one)) for id_, one in documents(partition, everybody)}


def migration(shop: Cluster, log: Log) -> Migration:
    folder = shop.folder / "shop"
    declared = load_shop(folder)
    return Migration(embedded_former(log), declared, cluster_place(folder, declared))


def test_an_embedded_shop_goes_on_in_a_cluster(
    shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between any two windows it goes on; parked rows are released there, deletes and moves work; no
    effect of before comes a second time."""
    feed, former = Feed(31, start_ms=now_ms() - 300_000).write(300), tmp_path / "former"
    embedded(shop, feed, former)
    with closing(Ledger(former)) as ledger:
        load(ledger, "spring", CODES, 0.0)
    said = shop.command("migrate", str(shop.folder / "shop"), "--from", str(former), "--check")
    assert "from 1 partitions to 4; 0 are written" in said

    monkeypatch.setattr(app.migrating.migrate, "windows", partial(windows, most=1))
    real, calls = Sender.progress, [0]

    def killed(self: Sender, progress: Any) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt
        real(self, progress)

    monkeypatch.setattr(Sender, "progress", killed)
    with Log.open(former, write=True) as log:
        begun = migration(shop, log)
        with pytest.raises(KeyboardInterrupt):
            begun.run(tmp_path / "work")
        begun.close()
    monkeypatch.undo()
    for variable in ("TINTYPE_KAFKA", "TINTYPE_STORE", "TINTYPE_SECRET"):
        monkeypatch.setenv(variable, shop.environment[variable])
    said = shop.command("migrate", str(shop.folder / "shop"), "--from", str(former))
    assert "the new log comes to the same for all" in said
    again = shop.command("migrate", str(shop.folder / "shop"), "--from", str(former))
    assert "it was done before" in again
    assert codes_of(shop, tmp_path / "ledger") == [("spring", code) for code in CODES]
    drained = drained_of(shop)
    assert len(drained) == PARTITIONS

    shop.start("a")
    shop.wait(lambda: is_settled(shop, tmp_path / "look", drained), "settled", 120)
    assert profiles_of(shop.profiles()) == profiles_of(before(shop, former))

    late = {place: messages for place, messages in feed.topics.items() if place.endswith(LATE)}
    assert any(late.values())
    shop.send(Feed(0, topics=late))
    send_more(shop, feed, 200)
    shop.wait(lambda: is_settled(shop, tmp_path / "look", drained), "settled with more", 120)
    check_goes_on(shop, feed, tmp_path, drained)


def test_what_cannot_be_migrated_is_refused_before_anything_is_written(
    shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, former = Feed(32, start_ms=now_ms() - 300_000).write(30), tmp_path / "former"
    embedded(shop, feed, former)
    with Log.open(former, write=True) as log:
        monkeypatch.setenv("TINTYPE_SECRET", "00" * 32)
        with pytest.raises(InputError, match="it is not the secret of this shop's log"):
            migration(shop, log).check()
        monkeypatch.setenv("TINTYPE_SECRET", SECRET.hex())
        migration(shop, log).check()
        shop.start("a")
        shop.wait(lambda: refused(shop, log), "workers seen")
        shop.stop()
        send_more(shop, feed, 10)
        with pytest.raises(InputError, match="this log has records already"):
            migration(shop, log).check()


def refused(shop: Cluster, log: Log) -> bool:
    try:
        migration(shop, log).check()
    except InputError as error:
        return "workers of this shop run" in str(error)
    return False
