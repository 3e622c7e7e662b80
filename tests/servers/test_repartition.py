"""A cluster's log in another number of partitions: workers of it go on where those of the former stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

import app.migrating.migrate
from app.load import load_shop
from app.migrating.cluster import gathered, place_of_shop
from app.migrating.migrate import Migration
from app.worker.place import ClusterPlace, cluster_place
from deploy.servers.places import Place
from sinks.coupons.records import CodesLoaded
from sinks.deliveries.records import encoded
from streams.changes.topics import Topics
from streams.debezium import kafka as tools
from streams.errors import InputError
from streams.migrate.former import windows
from streams.migrate.send import Sender
from tests.called import SECRET
from tests.laws.effort import LONG
from tests.servers.checked import now_ms, send_more
from tests.servers.cluster import Cluster, cluster, write_folder
from tests.servers.migrated import check_goes_on, codes_of, drained_of, is_settled
from tests.shared.small_shop import Feed, small_shop


@contextmanager
def following(former: Cluster, partitions: int, folder: Path) -> Iterator[Cluster]:
    """A cluster of another name, of the same sources' topics; nothing of it is there yet."""
    shop = small_shop(f"{former.name}-next", partitions=partitions, history=False)
    write_folder(shop, folder / "shop")
    toml = folder / "shop" / "tintype.toml"
    toml.write_text(toml.read_text("utf-8").replace(f'"{shop.settings.name}.', f'"{former.name}.'), "utf-8")
    made = Cluster(former.kafka, former.store, folder, shop, fed_by=former.name)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(autouse=True)
def _environment(kafka: Place, redis_server: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_KAFKA", kafka.address)
    monkeypatch.setenv("TINTYPE_STORE", f"redis://:{redis_server.password}@{redis_server.address}/0")
    monkeypatch.setenv("TINTYPE_SECRET", SECRET.hex())


def places(former: Cluster, new: Cluster) -> tuple[ClusterPlace, ClusterPlace]:
    folder = new.folder / "shop"
    place = cluster_place(folder, load_shop(folder))
    return place_of_shop(place, former.name), place


def killed_amid(former: Cluster, new: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin, and be killed before the third window is committed."""
    there, place = places(former, new)
    real, calls = Sender.progress, [0]

    def killed(self: Sender, progress: Any) -> None:
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        real(self, progress)

    with monkeypatch.context() as patched:
        patched.setattr(app.migrating.migrate, "windows", partial(windows, most=1))
        patched.setattr(Sender, "progress", killed)
        partitions = new.shop.settings.partitions
        with gathered(there, place, partitions, folder / "log", lambda *_: None, fence=True) as found:
            migration = Migration(found, load_shop(new.folder / "shop"), place)
            with pytest.raises(KeyboardInterrupt):
                migration.run(folder / "work")
            migration.close()


@pytest.mark.parametrize(("before", "after"), [(4, 3), (2, 4)] if LONG else [(4, 3)])
def test_workers_go_on_in_another_number_of_partitions(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    before: int, after: int,
) -> None:  # fmt: skip
    """Killed amid its windows it goes on. What nobody had taken in is taken once, there; a customer who was
    erased before begins anew; effects of before are not sent again."""
    feed = Feed(41, start_ms=now_ms() - 120_000).write(250)
    with (
        cluster(kafka, redis_server, name, tmp_path / "former", partitions=before) as former,
        following(former, after, tmp_path / "new") as new,
    ):
        former.send(feed)
        with tools.producer(kafka.address) as producer:
            codes = encoded([CodesLoaded("spring", ["C1", "C2"], 0.0)])
            producer.send(Topics(name).ledger, codes, partition=0).get(30)
        former.start("a")
        former.wait(lambda: former.is_settled(tmp_path / "look"), "settled", 120)
        former.stop()
        stood = former.profiles()
        send_more(former, feed, 40)  # nobody takes them in
        unread = former.lag()
        assert unread > 0
        said = new.command("migrate", str(new.folder / "shop"), "--from-shop", name, "--check")
        assert f"from {before} partitions to {after}; 0 are written" in said
        killed_amid(former, new, tmp_path / "killed", monkeypatch)
        said = new.command("migrate", str(new.folder / "shop"), "--from-shop", name)
        assert "the new log comes to the same for all" in said
        again = new.command("migrate", str(new.folder / "shop"), "--from-shop", name)
        assert "it was done before" in again
        assert former.profiles() == stood  # it stays as it is
        assert codes_of(new, tmp_path / "ledger") == [("spring", "C1"), ("spring", "C2")]

        assert new.lag() == unread
        drained = drained_of(new)
        assert len(drained) == after
        assert sum(drained) > 0
        new.start("b")
        new.wait(lambda: is_settled(new, tmp_path / "next", drained), "settled", 120)
        send_more(new, feed, 150)
        new.wait(lambda: is_settled(new, tmp_path / "next", drained), "settled with more", 120)
        check_goes_on(new, feed, tmp_path, drained)


def test_what_cannot_be_migrated_is_refused_before_anything_is_written(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        cluster(kafka, redis_server, name, tmp_path / "former", partitions=2) as former,
        following(former, 3, tmp_path / "new") as new,
    ):
        former.send(Feed(42, start_ms=now_ms() - 120_000).write(30))
        former.start("a")
        former.wait(lambda: "workers of this shop run" in refusal(former, new, tmp_path), "workers seen")
        former.wait(lambda: former.is_settled(tmp_path / "look"), "settled", 120)
        former.stop()
        assert refusal(former, new, tmp_path) == ""
        monkeypatch.setenv("TINTYPE_SECRET", "00" * 32)
        assert "it is not the secret of this shop's log" in refusal(former, new, tmp_path)
        monkeypatch.setenv("TINTYPE_SECRET", SECRET.hex())
        producer = KafkaProducer(bootstrap_servers=kafka.address, acks="all")
        producer.send(Topics(name).calls, b'{"type": "track"}', key=b"a").get(30)
        producer.close()
        assert "rows over HTTP are not taken in yet" in refusal(former, new, tmp_path)
        with pytest.raises(InputError, match="a log cannot be migrated into itself"):
            place_of_shop(places(former, new)[1], new.name)
        assert "there is no such topic" in refusal(former, new, tmp_path, of="nobody")


def refusal(former: Cluster, new: Cluster, folder: Path, of: str = "") -> str:
    """Return why it is refused, or "". of: name of another former shop."""
    there, place = places(former, new)
    if of:
        there = place_of_shop(place, of)
    try:
        with gathered(there, place, 3, folder / "log", lambda *_: None, fence=False) as found:
            migration = Migration(found, load_shop(new.folder / "shop"), place)
            try:
                migration.check()
            finally:
                migration.close()
    except InputError as error:
        return str(error)
    return ""
