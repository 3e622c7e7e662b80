"""Snapshots shared through S3: a worker whose machine is gone is replaced without reading the whole log."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3  # type: ignore[import-untyped]  # it has no types
import pytest
from moto.server import ThreadedMotoServer

from deploy.servers.places import HOST, Place
from sinks.snapshots.shared import SharedFolder
from streams.changes.topics import topic_name
from tests.servers.checked import check, now_ms, send_more
from tests.servers.cluster import PARTITIONS, Cluster, cluster
from tests.servers.test_worker_metrics import scraped
from tests.shared.small_shop import Feed

BUCKET, RECORDS = "snapshots", 40


def free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """A server of S3's API on loopback; the variables by which clients find it."""
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1", aws_access_key_id="key",
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    ).create_bucket(Bucket=BUCKET)  # fmt: skip
    yield variables
    server.stop()


@pytest.fixture
def shop(
    kafka: Place, redis_server: Place, name: str, tmp_path: Path, s3: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cluster]:  # fmt: skip
    for variable, value in s3.items():
        monkeypatch.setenv(variable, value)
    with cluster(kafka, redis_server, name, tmp_path) as made:
        settings = made.folder / "shop" / "tintype.toml"
        more = f'[kafka]\nsnapshot_records = {RECORDS}\nsnapshots = "nowhere"\n'
        settings.write_text(settings.read_text("utf-8").replace("[kafka]\n", more), "utf-8")
        made.variables["TINTYPE_SNAPSHOTS"] = f"s3://{BUCKET}/here"
        yield made


def shared(shop: Cluster) -> dict[int, int]:
    """Return the step of the newest shared snapshot of those partitions that have one."""
    found = {}
    for number in range(PARTITIONS):
        folder = SharedFolder(f"s3://{BUCKET}/here", topic_name(shop.name, "snapshots"), number)
        if there := folder.manifests():
            found[number] = there[0].step
    return found


def are_shared(shop: Cluster) -> bool:
    """Whether every partition with enough records has a snapshot of nearly all of them."""
    newest = shared(shop)
    shop.looked = f"shared: {newest}, heads: {[head.step for head in shop.heads()]}"
    return all(
        head.step - newest.get(number, 0) < 2 * RECORDS for number, head in enumerate(shop.heads())
    ) and bool(newest)


def test_a_worker_whose_folder_is_gone_is_replaced_from_the_shared_snapshots(
    shop: Cluster, tmp_path: Path
) -> None:
    """The next owner replays less than the log has, comes to the same digest, and goes on; new settings let
    it read the whole log, once."""
    feed = Feed(21, start_ms=now_ms())
    first = shop.start("a")
    for _ in range(4):
        send_more(shop, feed, 100)
        shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    shop.wait(lambda: are_shared(shop), "shared")
    first.kill()
    shutil.rmtree(tmp_path / "a")
    newest, port = shared(shop), free_port()
    shop.start("b", "--metrics", str(port))
    shop.wait(lambda: scraped(port).get('tintype_ready{partition="3"}') == 1, "ready", 120)
    send_more(shop, feed, 60)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled by another", 120)
    found, heads = scraped(port), shop.heads()
    for number, step in newest.items():
        replayed = found[f'tintype_replayed_records{{partition="{number}"}}']
        assert replayed <= heads[number].step - step < heads[number].step
        assert f"partition {number}: it begins with the shared snapshot" in log_of(shop, "b")
    assert "whole log" not in log_of(shop, "b")

    tag = shop.folder / "shop" / "tags" / "big.yaml"
    tag.write_text("rule: sum(orders.amount) > 1\n", "utf-8")
    shop.command("apply", str(shop.folder / "shop"))
    shop.wait(lambda: log_of(shop, "b").count("the whole log is read") == len(newest), "all read", 120)
    send_more(shop, feed, 60)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled under new settings", 120)
    check(shop, feed, tmp_path, but={"truth"})


def log_of(shop: Cluster, name: str) -> str:
    return shop.workers[name].log.read_text("utf-8")
