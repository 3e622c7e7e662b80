"""Dead letters of a cluster: mended, sent back to where they came from, counted once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from deploy.servers.places import Place
from streams.changes.topics import Topics
from streams.debezium import kafka as kafka_tools
from tests.servers.api_of_cluster import ApiOfCluster, ago, api_of_cluster, order
from tests.servers.commands import Command, commands_on

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")
Dead = Command


@pytest.fixture(scope="module")
def shop(kafka: Place, store: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiOfCluster]:
    with api_of_cluster(kafka, store, tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def dead(shop: ApiOfCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dead:
    return partial(commands_on(shop.cluster, monkeypatch, capsys), "dead")


def letter_of(shop: ApiOfCluster, dead: Dead, text: str) -> dict[str, Any]:
    """Wait for the letter that holds a text; return it."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = [one for one in dead("list")[1]["letters"] if text in (one["value"] or "")]
        return bool(found)

    shop.wait(is_there, f"a letter with {text}")
    assert len(found) == 1
    return found[0]


def ends(shop: ApiOfCluster, topic: str) -> list[int]:
    with kafka_tools.consumer(shop.cluster.kafka.address) as consumer:
        parts = kafka_tools.partitions_of(consumer, [topic])
        return list(consumer.end_offsets(parts).values())


def test_a_letter_that_is_mended_goes_back_and_counts_once(shop: ApiOfCluster, dead: Dead) -> None:
    shop.post("orders", order("A1", "M1", "x-A1"), order("A2", "M1", "1.00"))
    one = letter_of(shop, dead, "x-A1")
    assert (one["source"], one["state"], one["problem"]) == (
        "orders", "waiting", "amount: 'x-A1' is no number",
    )  # fmt: skip
    number = str(one["id"])
    assert dead("replay", number) == (1, {"replayed": [], "waiting": [
        {"id": one["id"], "problem": one["problem"], "hint": one["hint"]}
    ]})  # fmt: skip
    assert dead("fix", number, "--set", "amount=12.50")[0] == 0
    assert json.loads(dead("show", number)[1]["letters"][0]["fixed"])["amount"] == 12.5
    assert dead("replay", number) == (0, {"replayed": [one["id"]], "waiting": []})
    shop.wait(lambda: shop.metrics("member:M1").get("spend") == 1350, "the order is counted")
    assert dead("list", "--all", "--source", "orders")[1]["letters"][-1]["state"] == "replayed"
    topic = Topics(shop.cluster.name).incoming("orders")
    before = ends(shop, topic)
    assert dead("replay", number) == (0, {"replayed": [one["id"]], "waiting": []})
    assert ends(shop, topic) == before, "what was replayed is not sent again"
    assert dead("fix", number, "--set", "amount=1.00")[0] == 2
    assert shop.metrics("member:M1")["orders_30d"] == 2


def test_a_later_change_of_the_row_stays_the_later_one(shop: ApiOfCluster, dead: Dead) -> None:
    """The row was sent again, and right, before its letter is mended."""
    shop.post("orders", order("B1", "M2", "x-B1"))
    one = letter_of(shop, dead, "x-B1")
    shop.post("orders", order("B1", "M2", "5.00"))
    topic = Topics(shop.cluster.name).incoming("orders")
    before = ends(shop, topic)
    assert dead("fix", str(one["id"]), "--set", "amount=99.00")[0] == 0
    assert dead("replay", str(one["id"])) == (0, {"replayed": [one["id"]], "waiting": []})
    assert ends(shop, topic) == before
    shop.wait(lambda: shop.metrics("member:M2").get("spend") == 500, "the later one holds")


def test_a_crash_amid_a_replay_leaves_the_letter_waiting_and_nothing_sent(
    shop: ApiOfCluster, dead: Dead, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.post("orders", order("C1", "M3", "x-C1"))
    number = str(letter_of(shop, dead, "x-C1")["id"])
    assert dead("fix", number, "--set", "amount=2.00")[0] == 0

    def crash(_: KafkaProducer) -> None:
        raise KafkaError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(KafkaProducer, "commit_transaction", crash)
        assert dead("replay", number)[0] == 2
    assert [one["state"] for one in dead("show", number)[1]["letters"]] == ["waiting"]
    assert dead("replay", number)[0] == 0
    shop.wait(lambda: shop.metrics("member:M3").get("spend") == 200, "the order is counted")
    assert shop.metrics("member:M3")["orders_30d"] == 1


def test_a_change_message_goes_back_with_its_key_to_its_partition(shop: ApiOfCluster, dead: Dead) -> None:
    """It keeps its position: sent twice it counts once, and a later change stays the later one."""
    topic = f"{shop.cluster.name}.changes"

    def change(position: int, at: object, op: str = "c") -> bytes:
        row = {"parcel_id": "P1", "member_id": "M4", "at": at, "status": "late"}
        source = {"connector": "postgresql", "schema": "public", "table": "parcels", "lsn": position,
                  "snapshot": "false"}  # fmt: skip
        body = {"before": None, "after": row, "op": op, "source": source, "ts_ms": position}
        return json.dumps(body).encode()

    key = json.dumps({"parcel_id": "P1"}).encode()
    with kafka_tools.producer(shop.cluster.kafka.address) as producer:
        producer.send(topic, change(100, "x-D1"), key=key).get(30)
    one = letter_of(shop, dead, "x-D1")
    assert one["key"] == key.decode()
    assert dead("fix", str(one["id"]), "--set", f"at={int(time.time() * 1000) - 60_000}")[0] == 0
    assert dead("replay", str(one["id"]))[0] == 0
    shop.wait(lambda: shop.metrics("member:M4").get("late") == 1, "it is counted")
    with kafka_tools.consumer(shop.cluster.kafka.address) as consumer:
        parts = kafka_tools.partitions_of(consumer, [topic])
        consumer.assign(parts)
        found: list[Any] = []
        while len(found) < 2:
            found += [one for some in consumer.poll(1000).values() for one in some]
    assert [(one.key, one.partition) for one in found] == [(key, found[0].partition)] * 2


def test_letters_are_dropped_and_named_wrongly_they_are_told(shop: ApiOfCluster, dead: Dead) -> None:
    shop.post("orders", order("E1", "M5", "x-E1", created_at=ago(7)))
    number = letter_of(shop, dead, "x-E1")["id"]
    assert dead("drop")[0] == 2
    assert dead("drop", str(number))[0] == 0
    assert number not in [one["id"] for one in dead("list")[1]["letters"]]
    assert dead("show", "999999")[1]["errors"][0]["problem"] == "there is none with this number"
    assert dead("list", "--source", "oders")[1]["errors"][0]["hint"].startswith("did you mean")
