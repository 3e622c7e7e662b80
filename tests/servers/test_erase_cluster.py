"""A person of a cluster is erased while workers run: nobody can read them, and all else is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from app.cluster.erase import erase
from app.load import load_shop
from app.shop import Shop
from app.worker.place import ClusterPlace, cluster_place
from deploy.servers.places import Place
from streams.changes.topics import Topics
from streams.errors import InputError
from streams.shared.erasing import Erasing, Erasure
from streams.shared.index import Index
from streams.shared.mentions import Mentions
from streams.shared.vault import SharedVault
from streams.worker.eraser import Eraser
from streams.worker.log_reader import LogReader
from tests.called import SECRET, id_of
from tests.personal.persons import traces
from tests.servers.api_of_cluster import ApiOfCluster, api_of_cluster, member, order
from tests.servers.commands import Command, commands_on


@pytest.fixture(scope="module")
def shop(kafka: Place, store: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiOfCluster]:
    with api_of_cluster(kafka, store, tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def command(
    shop: ApiOfCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:  # fmt: skip
    return commands_on(shop.cluster, monkeypatch, capsys)


def keys_of(shop: ApiOfCluster, customer: str) -> list[bytes]:
    """Return the wrapped keys of a customer that the topic gives, and the index has."""
    whom = bytes.fromhex(customer)
    with closing(LogReader(shop.cluster.kafka.address, Topics(shop.cluster.name))) as reader:
        in_topic = [wrapped for one, _, wrapped in reader.kept_keys() if one == whom]
    [held] = Index(shop.cluster.client, shop.cluster.name).fields("key", [whom])
    assert sorted(in_topic) == sorted(one[1:] for one in held.values())
    return in_topic


def readable(shop: ApiOfCluster, customer: str) -> set[str]:
    """Return what is personal and can be read in all records that the log has of a customer."""
    whom = bytes.fromhex(customer)
    mentions = Mentions(load_shop(shop.cluster.folder / "shop").sources, [whom])
    with closing(LogReader(shop.cluster.kafka.address, Topics(shop.cluster.name))) as reader:
        for message in reader.log(None):
            mentions.take(message)
    vault = SharedVault(SECRET, Index(shop.cluster.client, shop.cluster.name))
    return mentions.personal_values(vault, {whom})


def placed(shop: ApiOfCluster) -> tuple[Shop, ClusterPlace]:
    """Return the shop's declarations, and where its cluster is by the environment."""
    folder = shop.cluster.folder / "shop"
    declared = load_shop(folder)
    return declared, cluster_place(folder, declared)


def test_who_is_erased_over_http_is_nowhere_and_comes_again_as_somebody_new(
    shop: ApiOfCluster, command: Command
) -> None:
    shop.post("members", member("P1001", "13900000001", "李雷"), member("P2002", "13900000002", "韩梅梅"))
    shop.post("orders", order("A1", "P1001", "10.00"), order("A2", "P2002", "20.00"))
    shop.post("orders", order("A3", "P1001", "a lot"), order("A4", "P2002", "a lot"))
    for name, spent in (("P1001", 1000), ("P2002", 2000)):
        shop.wait(lambda: shop.metrics(f"member:{name}").get("spend") == spent, name)  # noqa: B023
    shop.wait(lambda: len(command("dead")[1]["letters"]) == 2, "both letters are put aside")
    whom = id_of("member:P1001")
    assert (len(keys_of(shop, whom)), readable(shop, whom)) == (1, {"李雷"})
    only_read = {"Authorization": f"Bearer {shop.keys['read']}"}
    assert shop.client.post("/v1/customers/phone:13900000001:erase", headers=only_read).status_code == 403
    answer = shop.client.post("/v1/customers/phone:13900000001:erase")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["customer"], said["references"], said["rows"], said["dead_letters"]) == (whom, 2, 2, 1)
    assert (said["rejected_rows"], said["profile_gone"]) == (0, True)
    for name in ("member:P1001", "phone:13900000001", whom):
        assert shop.client.get(f"/v1/profiles/{name}").status_code == 404, name
    assert shop.client.post("/v1/customers/member:P1001:erase").status_code == 404
    assert (keys_of(shop, whom), readable(shop, whom)) == ([], set())
    assert traces(shop.cluster.folder / "a", ("P1001", "13900000001", "李雷")) == []
    letters = command("dead", "list", "--all")[1]["letters"]
    assert ["A4" in one["value"] for one in letters] == [True]
    assert readable(shop, id_of("member:P2002")) == {"韩梅梅"}
    shop.post("orders", order("A5", "P1001", "3.00"))
    shop.wait(lambda: shop.metrics("member:P1001").get("spend") == 300, "only the later order counts")
    assert shop.get("/v1/profiles/member:P1001")["profile"]["references"] == ["member:P1001"]
    assert len(keys_of(shop, whom)) == 1
    assert readable(shop, whom) == set()
    code, audit = command("audit")
    assert (code, audit["differences"]) == (0, []), audit


def test_the_command_erases_and_the_index_that_is_made_anew_knows_nobody(
    shop: ApiOfCluster, command: Command
) -> None:
    shop.post("members", member("Q1", "13900000011", "王芳"))
    shop.wait(lambda: shop.client.get("/v1/profiles/member:Q1").status_code == 200, "the member is known")
    code, said = command("erase", "member:Q1", "--yes")
    assert (code, said["rows"], said["references"], said["profile_gone"]) == (0, 1, 2, True)
    assert command("erase", "member:Q1", "--yes")[0] == 2
    assert command("erase", id_of("member:Q1"), "--yes")[1]["rows"] == 0
    shop.cluster.empty_store()
    shop.post("members", member("Q2", "13900000012", "赵敏"))
    shop.wait(lambda: shop.client.get("/v1/profiles/member:Q2").status_code == 200, "the store is filled")
    assert shop.client.get("/v1/profiles/member:Q1").status_code == 404
    assert (keys_of(shop, id_of("member:Q1")), readable(shop, id_of("member:Q1"))) == ([], set())
    code, audit = command("audit")
    assert (code, audit["differences"]) == (0, []), audit


def test_one_who_erases_too_slowly_erases_nothing_and_workers_go_on(
    shop: ApiOfCluster, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lanes do not stand still for longer; whoever has them by then is not disturbed."""
    shop.post("members", member("S1", "13900000021", "李静"))
    shop.wait(lambda: shop.client.get("/v1/profiles/member:S1").status_code == 200, "the member is known")
    send = Eraser._send

    async def slow(self: Eraser, producer: Any, made: Erasure, letters: dict[int, bytes]) -> list[int]:
        self._index.go_on()
        shop.post("orders", order("S1", "S1", "7.00"))
        done = asyncio.to_thread(
            shop.wait, lambda: shop.metrics("member:S1").get("spend") == 700, "workers have the lanes again"
        )
        await done
        return await send(self, producer, made, letters)

    declared, place = placed(shop)
    whom = bytes.fromhex(id_of("member:S1"))
    with monkeypatch.context() as patched:
        patched.setattr(Eraser, "_send", slow)
        with pytest.raises(InputError, match="Kafka refuses"):
            erase(place, declared, whom)
    assert readable(shop, whom.hex()) == {"李静"}
    assert shop.metrics("member:S1")["spend"] == 700
    assert command("erase", "member:S1", "--yes")[1]["rows"] == 2
    shop.post("orders", order("S2", "S1", "8.00"))
    shop.wait(lambda: shop.metrics("member:S1").get("spend") == 800, "workers go on")


def test_one_who_ends_behind_the_transaction_leaves_the_rest_to_workers(
    shop: ApiOfCluster, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.post("members", member("T1", "13900000031", "周杰"))
    shop.wait(lambda: shop.client.get("/v1/profiles/member:T1").status_code == 200, "the member is known")
    declared, place = placed(shop)
    whom = id_of("member:T1")

    def ends(*_: object) -> None:
        raise OSError("the process ends")

    with monkeypatch.context() as patched:
        patched.setattr(Erasing, "sent", ends)
        with pytest.raises(OSError, match="ends"):
            erase(place, declared, bytes.fromhex(whom))
    shop.post("orders", order("T1", "T1", "9.00"))
    shop.wait(lambda: shop.metrics("member:T1").get("spend") == 900, "the order is the first of somebody new")
    assert shop.get("/v1/profiles/member:T1")["profile"]["references"] == ["member:T1"]
    assert len(keys_of(shop, whom)) == 1
    assert readable(shop, whom) == set()
    assert shop.client.get("/v1/profiles/phone:13900000031").status_code == 404
