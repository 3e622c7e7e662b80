"""A cluster that takes rows over HTTP, in another number of partitions: dead letters and who was erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.load import load_shop
from deploy.servers.places import Place
from streams.changes.topics import Topics
from tests.app.little_shop import write_shop
from tests.called import id_of
from tests.servers.api_of_cluster import ApiOfCluster, api_of_cluster, files, member, order
from tests.servers.cluster import Cluster
from tests.servers.commands import commands_on

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")


def following(former: Cluster, folder: Path) -> Cluster:
    """Return a cluster of two partitions, which is not there yet, of the same declarations."""
    name = f"{former.name}-next"
    write_shop(folder / "shop", files(name))
    toml = folder / "shop" / "tintype.toml"
    said = toml.read_text("utf-8").replace("partitions = 3", "partitions = 2")
    toml.write_text(said.replace(f'"{name}.changes"', f'"{former.name}.changes"'), "utf-8")
    return Cluster(former.kafka, former.store, folder, load_shop(folder / "shop"))


def take_in(shop: ApiOfCluster) -> None:
    """Let there be two letters, one of whose rows has come again since, and somebody who was erased."""
    for number, who in (("A1", "M1"), ("B1", "M2")):
        shop.post("orders", order(number, who, f"x-{number}"))
    shop.post("orders", order("A2", "M1", "3.00"))
    shop.post("members", member("M3", "13800000003", "李雷"), member("M1", "13800000001", "韩梅梅"))
    shop.post("orders", order("C1", "M3", "7.00"))
    shop.wait(lambda: shop.metrics("member:M3").get("spend") == 700, "all is counted")
    shop.wait(lambda: shop.metrics("member:M1").get("spend") == 300, "all is counted")
    shop.post("orders", order("B1", "M2", "5.00"))
    shop.wait(lambda: shop.metrics("member:M2").get("spend") == 500, "the later one is counted")
    folder = str(shop.cluster.folder / "shop")
    said = shop.cluster.command("erase", folder, "member:M3", "--cluster", "--yes", "--json")
    assert json.loads(said)["rows"] == 2
    shop.post("orders", order("C2", "M3", "2.00"))
    shop.wait(lambda: shop.metrics("member:M3").get("spend") == 200, "they begin anew")


def spent(shop: Cluster, who: str) -> Any:
    return shop.profiles().get(id_of(f"member:{who}"), {}).get("metrics", {}).get("spend")


def test_letters_wait_on_and_who_was_erased_stays_so(
    kafka: Place, store: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A letter whose row has come since is done with; the other goes to the new shop's own topic."""
    with api_of_cluster(kafka, store, tmp_path / "former") as shop:
        take_in(shop)
        shop.cluster.stop()
        name, new = shop.cluster.name, following(shop.cluster, tmp_path / "new")
        said = new.command("migrate", str(new.folder / "shop"), "--from-shop", name, "--json")
        assert json.loads(said)["done"]
        new.start("b")
        try:
            new.wait(lambda: spent(new, "M3") == 200, "profiles are there")
            assert (spent(new, "M1"), spent(new, "M2")) == (300, 500)
            command = commands_on(new, monkeypatch, capsys)
            exported = json.dumps(command("export", "member:M3")[1], ensure_ascii=False)
            assert "member:M3" in exported
            assert "李雷" not in exported
            assert "韩梅梅" in json.dumps(command("export", "member:M1")[1], ensure_ascii=False)

            letters = command("dead", "list")[1]["letters"]
            topic = Topics(new.name).incoming("orders")
            assert {one["place"].split("/")[0] for one in letters} == {topic}
            assert {one["place"].split("/")[1] for one in letters} <= {"0", "1"}
            assert len(letters) == 2
            for one in sorted(letters, key=lambda one: "x-A1" in one["value"]):  # it waits for what was sent
                assert command("dead", "fix", str(one["id"]), "--set", "amount=12.50")[0] == 0
                assert command("dead", "replay", str(one["id"])) == (
                    0, {"replayed": [one["id"]], "waiting": []}
                )  # fmt: skip
            new.wait(lambda: spent(new, "M1") == 1550, "the mended order is counted")
            assert spent(new, "M2") == 500
        finally:
            for one in new.workers.values():
                one.kill()
