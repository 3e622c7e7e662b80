"""What the API of a cluster reads from a real store: who is known, and how old each answer is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import redis

from app.load import load_shop
from console.cluster.coupons import ClusterCoupons
from console.cluster.deliveries import ClusterDeliveries, ClusterSending
from console.cluster.effects import TopicEffects
from console.cluster.ledger import FollowedLedger
from console.cluster.links import FollowedLinks
from console.cluster.rights import ClusterRights
from console.cluster.sender import Sender
from console.cluster.triggers import ClusterTriggers
from console.cluster.view import SharedView
from console.cluster.work import ClusterWork
from console.figures import ApiFigures
from console.keys import Keyring
from console.problems import Problem
from console.server import Server, build_app, listen, served
from console.serving import Serving, moment
from deploy.servers.places import Place
from sinks.deliveries.standing import Standing
from sinks.store.questions import Questions
from sinks.store.store import Commit, Store
from streams.changes.settings import Applied
from streams.identity.partition import id_pairs, partitions_of
from streams.shared.asked import Filling
from streams.shared.index import Index
from tests.app.little_shop import write_shop
from tests.called import SECRET
from tests.servers.answering import cluster_answers

NOW = int(time.time() // 60)
CLOCKS = (NOW - 30, NOW)


@pytest.fixture
def client(store: Place) -> redis.Redis:
    return redis.Redis.from_url(f"redis://:{store.password}@{store.address}/0")


def one_of(partition: int) -> bytes:
    """Return a customer of a partition of two."""
    everybody = (number.to_bytes(16, "big") for number in range(1, 99))
    return next(one for one in everybody if partitions_of(*id_pairs([one]), 2)[0] == partition)


@pytest.fixture
def api(client: redis.Redis, name: str, free_address: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """The API over two partitions, of which the first is half an hour behind."""
    settings = f'name = "{name}"\npartitions = 2\nhistory = false\n[groups]\nvalue = ["vip", "普通"]\n'
    shop = load_shop(write_shop(tmp_path / "shop", {"tintype.toml": settings}))
    store, figures = Store(client, name), ApiFigures()
    for partition, clock in enumerate(CLOCKS):
        store.claim(partition)
        whose = one_of(partition)
        document = {"id": whose.hex(), "attributes": {}, "metrics": {}, "rfm": {}, "tags": {}}
        fields: dict[str, str | int] = {"step": 7, "clock": clock}
        store.commit(partition, Commit("7:0", fields, [], [(whose, msgspec.json.encode(document))]))
    sender, view = Sender(free_address), SharedView(Index(client, name), SECRET)
    ledger = FollowedLedger(free_address, "ledger", tmp_path / "ledger")
    work = ClusterWork(None, shop, sender, time.time, figures.registry)  # type: ignore[arg-type]
    links = FollowedLinks(
        ledger, Index(client, name), SECRET, b"k" * 32, sender, "asked", lambda: shop
    )  # fmt: skip
    made = Serving(
        shop, store, view, work,
        cluster_answers(store, Questions(client, name), shop), TopicEffects(free_address, name),
        ClusterRights(None, Index(client, name), lambda: shop),  # type: ignore[arg-type]
        ClusterDeliveries(ledger, sender, "asked"),
        ClusterSending(
            ledger, sender, "asked", view, Standing(client, name), lambda: shop, lambda: 0.0, links
        ),
        ClusterCoupons(ledger, sender, "asked"), Keyring(tmp_path), figures, lambda: (NOW + 1) * 60,
        triggers=ClusterTriggers(Applied(1, ""), ledger),
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {made.keyring.add('all', ['read'])}"}
    with (
        contextlib.closing(listen("127.0.0.1", 0)) as listening,
        served(Server(build_app(made), listening)) as address,
        httpx.Client(base_url=address, headers=headers) as found,
    ):
        yield found


def iso(minute: int) -> str:
    return moment(minute).isoformat().replace("+00:00", "Z")


def test_an_answer_is_as_old_as_the_oldest_partition_that_it_shows(api: httpx.Client) -> None:
    for partition, (clock, lag) in enumerate(zip(CLOCKS, (1_800_000, 0), strict=True)):
        found = api.get(f"/v1/profiles/{one_of(partition).hex()}").json()
        assert (found["as_of"], found["lag_ms"], found["position"]) == (iso(clock), lag, [7, 7])
        assert "as_of" not in found["profile"]
    both = {"customers": [one_of(0).hex(), one_of(1).hex()]}
    found = api.post("/v1/profiles:batch", json=both).json()
    assert (found["as_of"], found["lag_ms"]) == (iso(CLOCKS[0]), 1_800_000)
    assert [one.get("as_of") for one in found["profiles"]] == [None, iso(CLOCKS[1])]
    text = api.get("/metrics").text
    assert 'tintype_partition_lag_seconds{partition="0"} 1800.0' in text
    assert 'tintype_partition_lag_seconds{partition="1"} 0.0' in text


def test_nobody_is_said_to_be_unknown_while_the_index_is_not_whole(client: redis.Redis, name: str) -> None:
    """A store that was started anew may lack who is in the log."""
    index = Index(client, name)
    view = SharedView(index, SECRET)
    with pytest.raises(Problem) as early:
        view.customers(["member:M1"])
    assert early.value.kind == "not-ready"
    assert view.customers(["00" * 16, "M1"]) == [bytes(16), None]
    index.begin_life(Filling("a lane", index.claim("a lane").epoch, index.looked_at()[1]))
    assert view.customers(["member:M1"]) == [None]
