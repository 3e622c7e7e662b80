"""`tintype api` on real Kafka and a real store: rows in over HTTP, through a worker, to the profiles."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from kafka import TopicPartition

from app.cli import main
from app.load import load_shop
from app.worker.place import cluster_place
from console.cluster.sender import Sender
from console.cluster.serving import cluster_serving
from console.server import Server, build_app, listen, served
from deploy.servers.places import Place
from sinks.events.envelope import BATCH
from sinks.topics.names import topics_of
from streams.changes.topics import Topics
from streams.debezium import kafka as kafka_tools
from streams.shared.index import Index
from tests.called import id_of
from tests.console.inbox_at_work import streamed
from tests.servers.api_of_cluster import ApiOfCluster, api_of_cluster, api_process, member, order
from tests.servers.topic_reader import seen

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")


@pytest.fixture(scope="module")
def shop(kafka: Place, store: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiOfCluster]:
    with api_of_cluster(kafka, store, tmp_path_factory.mktemp("cluster")) as made:
        yield made


def test_a_row_reaches_the_profile_which_any_reference_leads_to(shop: ApiOfCluster) -> None:
    """And what breaks its contract is told at once, and put aside by a worker."""
    taken = shop.post("orders", order("A1", "M1", "60.00", phone="13800000001"), order("A2", "M1", "x"))
    assert (taken["accepted"], [one["dead_letter"] for one in taken["rejected"]]) == (1, [None])
    [rejected] = taken["rejected"]
    assert (rejected["problem"], rejected["place"][-2:]) == ("amount: 'x' is no number", "/2")
    shop.wait(lambda: shop.metrics("member:M1").get("spend") == 6000, "the order is in the profile")
    first = shop.get("/v1/profiles/member:M1")
    for name in ("phone:13800000001", id_of("member:M1")):
        found = shop.get(f"/v1/profiles/{name}")
        assert found["profile"] == first["profile"]
    assert first["profile"]["id"] == id_of("member:M1")
    assert first["profile"]["references"] == ["member:M1", "phone:13800000001"]
    assert len(first["position"]) == 3
    assert first["as_of"] is not None
    assert first["lag_ms"] < 120_000
    assert shop.client.get("/v1/profiles/member:M404").status_code == 404


def records(shop: ApiOfCluster, topic: str) -> list[Any]:
    """Return all messages of a topic."""
    found: list[Any] = []
    with kafka_tools.consumer(shop.cluster.kafka.address) as consumer:
        parts = kafka_tools.partitions_of(consumer, [topic])
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        while any(consumer.position(at) < ends[at] for at in parts):
            found += [one for some in consumer.poll(1000).values() for one in some]
    return found


def test_of_changes_of_one_row_the_last_one_sent_holds(shop: ApiOfCluster) -> None:
    """Whatever partition a row is in, all its changes are; the same again changes nothing."""
    for amount in range(1, 20):
        rows = [order(f"B{number}", f"B{number}", str(amount)) for number in range(6)]
        shop.post("orders", *rows)
    shop.post("orders", *rows)
    members = [f"member:B{number}" for number in range(6)]
    wanted = {"customers": [*members, "member:nobody"], "fields": ["metrics"]}

    def held() -> list[Any]:
        found = shop.client.post("/v1/profiles:batch", json=wanted).json()
        assert found["unknown"][-1] == "member:nobody"
        return [one and (one["metrics"]["spend"], one["metrics"]["orders_30d"]) for one in found["profiles"]]

    shop.wait(lambda: held() == [(1900, 1)] * 6 + [None], "the last amount of each row")
    places: dict[str, set[int]] = {}
    for record in records(shop, Topics(shop.cluster.name).incoming("orders")):
        places.setdefault(json.loads(record.value)["order_id"], set()).add(record.partition)
    assert {len(one) for one in places.values()} == {1}
    assert len(set.union(*places.values())) > 1


def test_calls_of_trackers_reach_the_profile_and_a_named_request_counts_once(shop: ApiOfCluster) -> None:
    call = {"userId": "C1", "event": "Product Viewed", "properties": {"category": "鞋"}}
    for _ in range(2):
        headers = {"Idempotency-Key": "views"}
        answer = shop.client.post("/v1/track", json=call, headers=headers)
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text
    untaken = shop.client.post("/v1/page", json={"userId": "C1", "name": "Home"}).json()
    assert [one["problem"] for one in untaken["rejected"]] == ["no source takes page calls named 'Home'"]
    shop.client.post("/v1/identify", json={"userId": "C1", "traits": {"city": "上海"}})
    shop.wait(lambda: shop.metrics("member:C1").get("clicks_1d"), "the call is in the profile")
    shop.wait(lambda: shop.get("/v1/profiles/member:C1")["profile"]["attributes"]["city"] == "上海", "traits")
    assert shop.metrics("member:C1")["clicks_1d"] == 1


def test_what_is_personal_is_read_with_a_key_for_it_until_the_customers_key_is_gone(
    shop: ApiOfCluster,
) -> None:
    shop.post("members", member("P1", "13900000001", "李雷"), member("P2", "13900000002", "韩梅梅"))
    wanted = {"customers": ["phone:13900000001", "member:P2"]}

    def shown(**headers: str) -> list[Any]:
        found = shop.client.post("/v1/profiles:batch", json=wanted, headers=headers).json()["profiles"]
        return [one and (one["attributes"]["name"], one.get("withheld"), one["references"]) for one in found]

    both = [
        ("李雷", None, ["member:P1", "phone:13900000001"]),
        ("韩梅梅", None, ["member:P2", "phone:13900000002"]),
    ]
    shop.wait(lambda: shown() == both, "names are readable")
    only_read = shown(Authorization=f"Bearer {shop.keys['read']}")
    assert [one[:2] for one in only_read] == [(None, ["name"])] * 2
    index = Index(shop.cluster.client, shop.cluster.name)
    index.client.delete(index.key("key", bytes.fromhex(id_of("member:P2"))))  # as erasing does
    assert shown() == [both[0], (None, None, [])]


def test_a_person_gets_a_copy_of_everything_readable(
    shop: ApiOfCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over HTTP and by the command: rows in order, records, references, decisions; nothing of others."""
    shop.post("members", member("X1", "13900000007", "王芳"), member("X2", "13900000008", "赵敏"))
    shop.post("orders", order("X1", "X1", "1.00"), order("X2", "X2", "9.00"))
    shop.post("orders", order("X1", "X1", "2.00"))
    shop.wait(lambda: shop.metrics("member:X1").get("spend") == 200, "the last change is in the profile")
    whom = id_of("member:X1")
    shop.wait(lambda: shop.get("/v1/decisions", customer=whom)["decisions"], "the decision is there")
    answer = shop.client.post("/v1/customers/phone:13900000007:export", json={})
    assert answer.status_code == 200, answer.text
    found = answer.json()["export"]
    assert (found["customer"], found["references"]) == (whom, ["member:X1", "phone:13900000007"])
    assert [one["name"] for one in found["rows"]["members"]] == ["王芳"]
    assert [one["amount"] for one in found["rows"]["orders"]] == [100, 200]
    told = [one["reference"] for one in found["records"] if one["kind"] == "reference"]
    assert sorted(told) == found["references"]
    assert [one["trigger"] for one in found["decisions"]] == ["hello"]
    assert {one["customer"] for one in found["tag_changes"]} == {whom}
    assert "赵敏" not in answer.text
    assert "X2" not in answer.text
    only_read = {"Authorization": f"Bearer {shop.keys['read']}"}
    assert shop.client.post(f"/v1/customers/{whom}:export", headers=only_read).status_code == 403
    for name, value in shop.cluster.environment.items():
        monkeypatch.setenv(name, value)
    folder = str(shop.cluster.folder / "shop")
    assert main(["export", folder, "phone:13900000007", "--cluster"]) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert main(["export", folder, "member:nobody", "--cluster"]) == 2
    assert "no customer is known by this reference" in capsys.readouterr().err


def test_decisions_are_read_to_the_end_by_cursor_each_once(shop: ApiOfCluster) -> None:
    shop.post("orders", *(order(f"D{number}", f"D{number}") for number in range(7)))
    wanted = {id_of(f"member:D{number}") for number in range(7)}

    def decided() -> bool:
        return wanted <= {one["customer"] for one in shop.get("/v1/decisions", limit=1000)["decisions"]}

    shop.wait(decided, "all are in the topic")
    whole = [one["id"] for one in shop.get("/v1/decisions", limit=1000)["decisions"]]
    ids, cursor, pages = [], "0", 0
    while True:
        found = shop.get("/v1/decisions", cursor=cursor, limit=2)
        if found["next"] == cursor:
            break
        ids += [one["id"] for one in found["decisions"]]
        cursor, pages = found["next"], pages + 1
        assert len(found["decisions"]) <= 2
    assert pages > 3
    assert sorted(ids) == sorted(whole)
    assert len(set(ids)) == len(ids) >= 8
    of_one = shop.get("/v1/decisions", customer="member:D3")["decisions"]
    assert [(one["customer"], one["cause"]["source"]) for one in of_one] == [(id_of("member:D3"), "orders")]
    shop.wait(
        lambda: shop.get("/v1/decisions", customer="member:D3")["decisions"][0]["delivery"]
        == {"state": "sent", "detail": None}, "the ledger says what became of it",
    )  # fmt: skip
    assert of_one[0]["id"] in ids


def test_changes_of_tags_are_read_by_cursor_too(shop: ApiOfCluster) -> None:
    shop.post("orders", order("E1", "E1", "9000.00"))
    shop.wait(lambda: shop.metrics("member:E1"), "the customer is known")
    shop.wait(
        lambda: shop.get("/v1/tag-changes", customer="member:E1")["changes"], "the change is in the topic"
    )
    found = shop.get("/v1/tag-changes", customer="member:E1")
    entered = [(one["what"], one["change"]) for one in found["changes"] if one["change"] == "enter"]
    assert entered == [("vip", "enter")]
    after = shop.get("/v1/tag-changes", customer="member:E1", cursor=found["next"])
    assert (after["changes"], after["next"]) == ([], found["next"])


def test_triggers_tell_where_they_stand_by_the_settings_that_were_applied(shop: ApiOfCluster) -> None:
    """And by what the worker that sends has read."""
    (one,) = shop.get("/v1/triggers")["triggers"]
    assert shop.get("/v1/triggers/hello")["trigger"] == one
    assert (one["name"], one["status"], one["was_live"], one["off"]) == ("hello", "live", True, False)
    assert one["since"] is not None
    for off in (True, False):
        told = {"what": "trigger/hello", "off": off, "reason": "a test"}
        assert shop.client.post("/v1/switches", json=told).status_code == 200
        shop.wait(partial(is_off, shop, off), "it is turned")
        assert shop.get("/v1/triggers/hello")["trigger"]["reason"] == ("a test" if off else None)
    assert shop.client.get("/v1/triggers/x").json()["code"] == "unknown-trigger"


def is_off(shop: ApiOfCluster, off: bool) -> bool:
    return shop.get("/v1/triggers/hello")["trigger"]["off"] is off


def test_events_are_streamed_as_their_topic_has_them_and_resumed_behind_each(shop: ApiOfCluster) -> None:
    shop.post("orders", *(order(f"G{number}", f"G{number}") for number in range(5)))
    wanted = {id_of(f"member:G{number}") for number in range(5)}
    shop.wait(lambda: wanted <= {one["subject"] for one in batch(shop)}, "all are in the topic")
    topics = topics_of(shop.cluster.name)
    messages = asyncio.run(seen(shop.cluster.kafka.address, topics, 3))
    ids = sorted(one.headers["ce_id"] for one in messages if one.topic == topics.decisions)
    with streamed(shop.client, "/v1/decisions") as events:
        told = list(itertools.islice((one for one in events if "data" in one), len(ids)))
    assert sorted(one["data"]["id"] for one in told) == ids == sorted(one["id"] for one in batch(shop))
    bodies = {one.headers["ce_id"]: one.body for one in messages}
    assert all(one["data"]["data"] == bodies[one["data"]["id"]] for one in told)
    for place, one in enumerate(told[:-1], start=1):
        with streamed(shop.client, "/v1/decisions", one["id"]) as events:
            rest = list(itertools.islice((one for one in events if "data" in one), len(told) - place))
        assert sorted(one["data"]["id"] for one in rest) == sorted(one["data"]["id"] for one in told[place:])


def batch(shop: ApiOfCluster) -> list[dict[str, Any]]:
    """Return up to 1,000 events of decisions."""
    answer = shop.client.get("/v1/decisions?limit=1000", headers={"Accept": BATCH})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_a_stream_is_told_of_a_commit_before_it_would_look_of_itself(shop: ApiOfCluster) -> None:
    with streamed(shop.client, "/v1/decisions", shop.get("/v1/decisions", limit=1000)["next"]) as events:
        shop.post("orders", order("H1", "H1"))
        assert next(events)["data"]["subject"] == id_of("member:H1")


def test_a_cursor_that_is_none_or_lies_before_what_the_topic_keeps_is_refused(shop: ApiOfCluster) -> None:
    for cursor in ("1", "1.2", "1.2.3.4", "1..2", "1.2." + "9" * 19):
        answer = shop.client.get("/v1/decisions", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), cursor
    shop.post("orders", order("F1", "F1"))
    shop.wait(lambda: shop.get("/v1/decisions", limit=1000)["decisions"], "a decision is in the topic")
    newest = shop.get("/v1/decisions", limit=1000)["next"]
    topic = topics_of(shop.cluster.name).decisions
    with kafka_tools.admin(shop.cluster.kafka.address) as admin:
        offsets = dict(enumerate(map(int, newest.split("."))))
        admin.delete_records({TopicPartition(topic, one): offset for one, offset in offsets.items()})
    answer = shop.client.get("/v1/decisions", params={"cursor": "0"})
    assert (answer.status_code, answer.json()["code"]) == (410, "cursor-gone")
    # marks of transactions, and decisions that came since, may stand behind it
    for found in (shop.get("/v1/decisions", cursor=newest), shop.get("/v1/decisions")):
        reached = [int(one) for one in found["next"].split(".")]
        assert all(one >= offset for one, offset in zip(reached, offsets.values(), strict=True))


def test_what_a_connector_writes_is_not_taken_and_it_is_said_what_to_do(shop: ApiOfCluster) -> None:
    change = {"op": "c", "before": None, "after": {"parcel_id": "1"}}
    answer = shop.client.post("/v1/sources/changes", json=change)
    assert (answer.status_code, answer.json()["code"]) == (501, "not-here")
    assert len(answer.json()["hint"]) > 20


def test_it_is_ready_where_kafka_and_store_answer_and_counts_how_far_each_partition_is(
    shop: ApiOfCluster,
) -> None:
    ready = shop.get("/readyz")
    assert ready["status"] == "ready"
    assert [one["lag_ms"] < 120_000 for one in ready["partitions"]] == [True] * 3
    text = shop.client.get("/metrics").text
    for number in range(3):
        assert f'tintype_clock_timestamp_seconds{{partition="{number}"}}' in text
        assert f'tintype_partition_lag_seconds{{partition="{number}"}}' in text
    assert "tintype_kafka_up 1.0" in text
    assert "tintype_store_up 1.0" in text
    assert f'tintype_intake_waiting{{topic="tintype.{shop.cluster.name}.in.orders"}}' in text


def test_while_the_store_is_away_rows_are_taken_and_profiles_are_not_given(
    shop: ApiOfCluster, free_address: str
) -> None:
    headers = dict(shop.client.headers)
    with (
        api_process(shop.cluster, TINTYPE_STORE=f"redis://{free_address}/0") as told,
        httpx.Client(base_url=told["api"], headers=headers, timeout=60) as client,
    ):
        assert told["keys"] == {}, "the keys are the first process's"
        for path in ("/readyz", "/v1/profiles/member:M1", "/v1/decisions"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "store-away"), path
        assert "tintype_store_up 0.0" in client.get("/metrics").text
        taken = client.post("/v1/sources/orders", json=[order("F1", "F1")])
        assert (taken.status_code, taken.json()["accepted"], taken.json()["as_of"]) == (200, 1, None)
    shop.wait(lambda: shop.metrics("member:F1").get("orders_30d") == 1, "it was durable")


def test_while_kafka_is_away_profiles_are_given_and_rows_are_not_taken(
    shop: ApiOfCluster, free_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And settings that are applied meanwhile hold, once Kafka tells of them."""
    shop.post("orders", order("K1", "K1"))
    shop.wait(lambda: shop.metrics("member:K1"), "the customer is known")
    for name, value in shop.cluster.environment.items():
        monkeypatch.setenv(name, value)
    folder = shop.cluster.folder / "shop"
    declared = load_shop(folder)
    with cluster_serving(folder, declared, cluster_place(folder, declared)) as answering:
        monkeypatch.setattr(answering.work, "_sender", Sender(free_address))
        listening = listen("127.0.0.1", 0)
        with (
            listening, served(Server(build_app(answering), listening)) as address,
            httpx.Client(base_url=address, headers=dict(shop.client.headers), timeout=60) as client,
        ):  # fmt: skip
            answer = client.post("/v1/sources/orders", json=[order("G1", "G1")])
            assert (answer.status_code, answer.json()["code"]) == (503, "kafka-away")
            assert answer.headers["retry-after"] == "1"
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["code"]) == (503, "kafka-away")
            assert client.get(f"/v1/profiles/{id_of('member:K1')}").status_code == 200
        (folder / "metrics.yaml").write_text((folder / "metrics.yaml").read_text() + "all: count(orders)\n")
        shop.cluster.command("apply", str(folder))
        shop.wait(lambda: "all" in answering.shop.metrics, "the settings that were applied hold")
