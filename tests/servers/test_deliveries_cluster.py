"""A cluster sends what was decided, and tells what becomes of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.worker.sender import FOLDER
from deploy.servers.places import Place
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LedgerCopy
from sinks.events.envelope import BATCH
from sinks.inbox.inbox import Inboxes
from sinks.topics.names import topics_of
from streams.changes.reading import fetches
from streams.changes.topics import Topics
from streams.debezium import kafka as kafka_tools
from tests.called import id_of
from tests.servers.api_of_cluster import order
from tests.servers.commands import commands_on
from tests.servers.delivery_room import FEW, Room, phone_of, room
from tests.servers.test_asyncapi import problems
from tests.servers.topic_reader import seen
from tests.sinks.loopback_http import Reply

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")


@pytest.fixture(scope="module")
def calm(kafka: Place, store: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(kafka, store, tmp_path_factory.mktemp("calm")) as made:
        yield made


def dump(ledger: Ledger) -> list[str]:
    return list(ledger.connection.iterdump())


def test_each_state_that_a_delivery_comes_into_is_told_once(calm: Room) -> None:
    """In their topic, as docs/asyncapi.yaml has them, and in the API with the same ids."""
    calm.orders("G1")
    calm.until("hello", ["G1"], sent=1)
    [one] = calm.deliveries(trigger="hello", customer="member:G1")

    def states() -> list[str]:
        return [event.body["state"] for event in calm.told() if event.body["decision"] == one["id"]]

    calm.shop.wait(lambda: states() == ["queued", "claimed", "sent"], "its states are told")
    assert calm.wrongly_told() == []
    told = calm.told()
    assert [fault for event in told for fault in problems(event, "deliveryChangeMessage")] == []
    batch = calm.shop.client.get("/v1/delivery-changes", params={"limit": 1000}, headers={"Accept": BATCH})
    assert {event.headers["ce_id"] for event in told} <= {event["id"] for event in batch.json()}


def test_what_is_decided_goes_out_once_and_is_listed(calm: Room) -> None:
    members = [f"A{number}" for number in range(30)]
    calm.orders(*members)
    for trigger in ("hello", "notice"):
        calm.until(trigger, members, sent=30)
        assert set(calm.door.came(trigger).values()) == {1}
    standing = {one["provider"]: one["state"] for one in calm.shop.get("/v1/providers")["providers"]}
    assert standing == {"sms/webhook": "closed", "paper/file": "closed", "box/inbox": "closed"}
    calm.until("boxed", members, sent=30)
    inboxes = Inboxes(calm.shop.cluster.client, calm.shop.cluster.name, 3)
    for one in members:
        read = inboxes.read(bytes.fromhex(id_of(f"member:{one}")), time.time())
        assert [message.shown.text for message in read.visible] == ["you spent 1250"]


def test_a_callback_and_an_act_by_hand_reach_the_ledger(calm: Room) -> None:
    calm.orders("B1")
    calm.until("hello", ["B1"], sent=1)
    [one] = calm.deliveries(trigger="hello", customer="member:B1")
    receipt = {"reference": one["id"], "state": "failed", "code": "UNDELIV", "reason": "13800000001 is off"}
    answer = calm.shop.client.post("/v1/receipts/sms", json=[receipt])
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    calm.until("hello", ["B1"], failed=1)
    calm.shop.wait(lambda: calm.bodies("receipt", one["id"]), "the log gives the slots back")
    assert [body["state"] for body in calm.bodies("receipt", one["id"])] == ["failed"]
    before = calm.door.came("hello")[one["id"]]
    asked = calm.shop.client.post(f"/v1/deliveries/{one['id']}:resend", json={"reason": "问过"})
    assert asked.status_code == 200, asked.text
    assert [(act["act"], act["reason"]) for act in asked.json()["by_hand"]] == [("resend", "问过")]
    calm.until("hello", ["B1"], sent=1)
    assert calm.door.came("hello")[one["id"]] == before + 1
    for name, status in ((one["id"], 409), ("f" * 32, 404)):
        refused = calm.shop.client.post(f"/v1/deliveries/{name}:resend", json={"reason": "again"})
        assert refused.status_code == status
    life = calm.shop.get(f"/v1/deliveries/{one['id']}")
    assert [each["outcome"] for each in life["attempts"]] == ["accepted", "accepted"]


def test_what_came_to_nothing_is_sent_again_in_bulk_by_the_api_and_by_the_command(
    calm: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = commands_on(calm.shop.cluster, monkeypatch, capsys)
    members = [f"AGAIN{number}" for number in range(3)]
    calm.orders(*members)
    calm.until("notice", members, sent=3)
    ids = [calm.deliveries(trigger="notice", customer=f"member:{one}")[0]["id"] for one in members]
    for done in (1, 2):
        failed = [{"reference": one, "state": "failed"} for one in ids]
        assert calm.shop.client.post("/v1/receipts/sms", json=failed).status_code == 200
        calm.until("notice", members, failed=3)
        if done == 1:
            asked = {"state": "failed", "trigger": "notice", "most": 100, "reason": "the line was down"}
            answer = calm.shop.client.post("/v1/deliveries:resend", json=asked)
            assert (answer.status_code, answer.json()["resent"], answer.json()["left"]) == (200, 3, 0)
        else:
            choice = ["--state", "failed", "--trigger", "notice", "--resend", "--reason", "again"]
            assert command("deliveries", *choice) == (exits.OK, {"resent": 3, "left": 0})
        calm.until("notice", members, sent=3)
    _, told = command("deliveries", "--providers")
    standing = {one["provider"]: one["state"] for one in told["providers"]}
    assert standing == {"sms/webhook": "closed", "paper/file": "closed", "box/inbox": "closed"}


def test_what_a_receiver_has_lost_is_posted_again_by_the_api_and_by_the_command(
    calm: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = commands_on(calm.shop.cluster, monkeypatch, capsys)
    members = [f"LOST{number}" for number in range(3)]
    calm.orders(*members)
    calm.until("hello", members, sent=3)
    ids = {calm.deliveries(trigger="hello", customer=f"member:{one}")[0]["id"] for one in members}

    def came(times: int) -> bool:
        found = calm.door.came("hello")
        return {found[one] for one in ids} == {times}

    assert came(1)
    asked = {"channel": "sms", "trigger": "hello", "since": "2026-01-01T00:00:00Z", "reason": "its disk"}
    answer = calm.shop.client.post("/v1/deliveries:replay", json=asked)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["replayed"] >= 3, answer.json()["next"]) == (True, None)
    calm.shop.wait(lambda: came(2), "they come again")
    calm.until("hello", members, sent=3)
    choice = ["--channel", "sms", "--trigger", "hello", "--since", "2026-01-01", "--replay", "--reason", "x"]
    code, told = command("deliveries", *choice)
    assert (code, told["replayed"]) == (exits.OK, answer.json()["replayed"])
    calm.shop.wait(lambda: came(3), "they come once more")
    calm.until("hello", members, sent=3)


def test_a_short_link_leads_on_and_the_click_is_in_the_ledger_and_the_log(calm: Room) -> None:
    calm.orders("L1")
    calm.until("hello", ["L1"], sent=1)
    [one] = calm.deliveries(trigger="hello", customer="member:L1")
    [text] = {
        json.loads(taken.body)["data"]["text"] for taken in list(calm.door.requests)
        if taken.headers["webhook-id"] == one["id"]
    }  # fmt: skip
    said, _, code = text.rpartition("/")
    assert said == "you spent 1250: https://s.shop.example/s"
    answer = calm.shop.client.get(f"/s/{code}", headers={"Authorization": ""}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/1250")
    calm.until("hello", ["L1"], delivered=1)
    [found] = calm.deliveries(trigger="hello", customer="member:L1")
    assert found["clicks"] == 1
    calm.shop.wait(lambda: len(calm.bodies("receipt", one["id"])) == 2, "the log is told")
    assert {body["state"] for body in calm.bodies("receipt", one["id"])} == {"clicked", "delivered"}
    assert calm.shop.client.get(f"/s/{code[::-1]}", follow_redirects=False).status_code == 404


def test_who_unsubscribes_withdraws_consent_in_the_log(calm: Room) -> None:
    """By the message that was answered, and by address; somebody whom nobody knows changes nothing."""
    calm.orders("C1", "C2")
    calm.until("notice", ["C1", "C2"], sent=2)
    [one] = calm.deliveries(trigger="notice", customer="member:C1")
    answers = [
        {"reference": one["id"], "state": "unsubscribed", "address": "10086"},
        {"state": "unsubscribed", "address": phone_of("C2"), "text": "TD"},
        {"state": "unsubscribed", "address": "10000", "text": "TD"},
    ]
    assert calm.shop.client.post("/v1/receipts/sms", json=answers).status_code == 200
    said = {"channel": "sms", "granted": False, "purpose": "marketing", "until": None}

    def withdrawn() -> dict[str, Any]:
        return {who: body for found in calm.records("consent") for who, body in found}

    wanted = {id_of(f"member:{one}"): said for one in ("C1", "C2")}
    calm.shop.wait(lambda: withdrawn() == wanted, "both are withdrawn")
    [found] = calm.deliveries(trigger="notice", customer="member:C2")
    assert (found["replies"], found["unsubscribed"]) == (1, True)
    calm.shop.wait(lambda: calm.bodies("receipt", one["id"]), "the log has the answer too")
    assert [body["state"] for body in calm.bodies("receipt", one["id"])] == ["unsubscribed"]
    for name in (Topics(calm.shop.cluster.name).asked, Topics(calm.shop.cluster.name).ledger):
        for _, records in fetches(calm.shop.cluster.kafka.address, name, {0: 0}):
            assert not any(phone_of("C2").encode() in record.value for record in records)


def test_a_switch_stands_in_all_logs_and_holds_back_what_waits(calm: Room) -> None:
    calm.door.always = Reply(503)
    calm.orders("D1")
    calm.shop.wait(lambda: sum(calm.door.came("hello").values()) > 0, "it is refused for now")
    calm.until("hello", ["D1"], queued=1)
    began = time.monotonic()
    switch = {"what": "trigger/hello", "off": True, "reason": "试一试"}
    answer = calm.shop.client.post("/v1/switches", json=switch)
    assert (answer.status_code, answer.json()["off"]) == (200, ["trigger/hello"])
    calm.until("hello", ["D1"], held_back=1)
    assert time.monotonic() - began < 5
    calm.door.always = Reply()
    calm.until("notice", ["D1"], sent=1)
    calm.orders("D2")
    calm.until("notice", ["D2"], sent=1)
    assert calm.states("hello", "D2") == {}, "it is decided no more"
    assert calm.shop.client.post("/v1/switches", json={**switch, "off": False}).json()["off"] == []
    turned = [[body["off"] for _, body in found] for found in calm.records("switch")]
    assert turned == [[True, False]] * 3
    calm.orders("D3")
    calm.until("hello", ["D3"], sent=1)


def test_a_trigger_that_acts_more_often_than_its_forecast_is_stopped_and_asks(
    calm: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over all partitions, by a record in each; nothing beyond it goes out; a person lets it go on."""
    members = [f"X{number}" for number in range(3 * FEW)]
    calm.shop.post("orders", *[order(one, one, "9000.00", phone=phone_of(one)) for one in members])
    calm.until("hello", members, sent=len(members))
    calm.shop.wait(lambda: calm.shop.get("/v1/switches")["off"] == ["trigger/big"], "it is stopped")
    calm.shop.wait(
        lambda: (found := calm.states("big", *members)).total() == found["sent"] + found["held back"] > FEW,
        "what was decided has an end",
    )
    assert calm.states("big", *members)["sent"] <= FEW
    assert calm.door.came("big").total() == calm.states("big", *members)["sent"]
    command = commands_on(calm.shop.cluster, monkeypatch, capsys)
    code, told = command("switch")
    [(name, why)] = told["reasons"].items()
    assert (code, name) == (exits.OK, "trigger/big")
    assert why.startswith("fired ")
    assert why.endswith(f" times within 1h, forecast {FEW}")
    code, told = command("triggers", "list", "big")
    [one] = told["triggers"]
    assert (code, one["in_force"], one["stopped"]) == (exits.OK, "live", why)
    for found in calm.records("switch"):
        assert [body["reason"] for _, body in found if body["what"] == name] == [why]
    assert command("switch", name, "--on") == (exits.OK, {"off": [], "paused": [], "reasons": {}})
    again = [f"Y{number}" for number in range(FEW)]
    calm.shop.post("orders", *[order(one, one, "9000.00", phone=phone_of(one)) for one in again])
    calm.until("big", again, sent=FEW)
    assert calm.shop.get("/v1/switches")["off"] == []


def test_apply_shows_what_a_trigger_decided_in_shadow(
    calm: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [f"S{number}" for number in range(4)]
    for number in (1, 2):
        rows = [order(f"{one}-{number}", one, "9500.00", phone=phone_of(one)) for one in members]
        calm.shop.post("orders", *rows)
    calm.until("notice", members, sent=8)
    folder = calm.shop.cluster.folder / "shop"
    toml, quiet = folder / "tintype.toml", folder / "triggers/quiet.yaml"
    before = [path.read_text("utf-8") for path in (toml, quiet)]
    toml.write_text(before[0].replace("shadow_first = false", ""), "utf-8")
    quiet.write_text(before[1].replace("status: shadow", "status: live"), "utf-8")
    for name, value in calm.shop.cluster.environment.items():
        monkeypatch.setenv(name, value)

    def counted() -> tuple[int, int]:
        assert main(["apply", str(folder), "--check", "--json"]) == exits.OK
        said = json.loads(capsys.readouterr().out)
        assert said["went_live"] == ["quiet"]
        [one] = said["shadow"]
        return one["shadow"]["act"], one["shadow"]["customers"]

    topics = topics_of(calm.shop.cluster.name)
    try:
        read = [event.body for event in asyncio.run(
            seen(calm.shop.cluster.kafka.address, topics, 3, topics.decisions)
        )]  # fmt: skip
        acts = [one["customer"] for one in read if (one["trigger"], one["outcome"]) == ("quiet", "act")]
        assert len(acts) == 8
        calm.shop.wait(lambda: counted() == (len(acts), len(set(acts))), "all of its acts are counted")
        _, suggested = commands_on(calm.shop.cluster, monkeypatch, capsys)("triggers", "forecast", "quiet")
        assert (suggested["acts"], suggested["busiest"], suggested["most"]) == (8, 8, 24)
        assert main(["apply", str(folder), "--check"]) == exits.OK
        assert f"would have sent {len(acts):,} messages" in " ".join(capsys.readouterr().err.split())
    finally:
        for path, text in zip((toml, quiet), before, strict=True):
            path.write_text(text, "utf-8")


def test_who_is_erased_is_taken_out_of_the_senders_file(calm: Room) -> None:
    file = calm.shop.cluster.folder / "a" / FOLDER / "sent.jsonl"
    calm.orders("F1", "F2")
    calm.until("filed", ["F1", "F2"], sent=2)
    ids = {one: calm.deliveries(trigger="filed", customer=f"member:{one}")[0]["id"] for one in ("F1", "F2")}

    def there() -> set[str]:
        return {name for name, one in ids.items() if one in file.read_text("utf-8")}

    assert there() == {"F1", "F2"}
    assert calm.shop.client.post("/v1/customers/member:F1:erase").status_code == 200
    calm.shop.wait(lambda: there() == {"F2"}, "it is out of the file")


def test_every_decision_is_counted_over_and_is_told_and_held_as_it_comes_out(
    calm: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the cluster is at work; a guard that is passed over, a decision that is told twice and one that
    the ledger lacks are named."""
    calm.orders("H1", "H2")
    calm.until("notice", ["H1", "H2"], sent=2)
    cluster, customer = calm.shop.cluster, id_of("member:H1")
    audit = partial(commands_on(cluster, monkeypatch, capsys), "audit", "--decisions", "--profiles", "1")
    monkeypatch.setenv("TINTYPE_DATA", str(tmp_path))
    code, said = audit()
    found = said["decisions"]
    assert (code, said["differences"]) == (exits.OK, [])
    assert found["counted"] == found["told"] >= found["carried"] >= 4
    assert {one["violated"] for one in found["guards"].values()} == {0}
    assert found["guards"]["cap"]["checked"] == found["counted"]

    with monkeypatch.context() as patched:
        patched.setattr("reference.guards._Part._is_granted", lambda _, one, __: one.customer != customer)
        code, said = audit()
        of_hers = [one["recomputed"] for one in said["differences"] if one["customer"] == customer]
        assert (code, len(of_hers)) == (exits.DIFFERENT, len(said["differences"]))
        assert said["decisions"]["guards"]["consent"]["violated"] == len(of_hers) >= 2
        assert said["decisions"]["guards"]["consent"]["first"] in of_hers

    [[one], [other]] = (calm.deliveries(trigger="notice", customer=f"member:H{one}") for one in (1, 2))
    with closing(LedgerCopy(tmp_path / "ledger")) as copy:
        copy.connection.execute("DELETE FROM decision WHERE id = ?", (other["id"],))
    topic = topics_of(cluster.name).decisions
    [told] = [
        record for number in range(3) for _, records in fetches(cluster.kafka.address, topic, {number: 0})
        for record in records if json.loads(record.value)["id"] == one["id"]
    ]  # fmt: skip
    with kafka_tools.producer(cluster.kafka.address) as producer:
        producer.send(topic, told.value, key=told.key, partition=told.partition).get(30)
    code, said = audit()
    assert code == exits.DIFFERENT
    assert {(one["what"], one["held"]) for one in said["differences"]} == {
        (f"decision {one['id']}, topic", "twice"), (f"decision {other['id']}, ledger", "none"),
    }  # fmt: skip


def test_the_same_stands_in_every_copy_of_the_ledger(
    calm: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands read a copy, the API follows one; a file that is gone is written again from the topic."""
    calm.orders("E1", "E2")
    calm.until("hello", ["E1", "E2"], sent=2)
    cluster = calm.shop.cluster
    command = commands_on(cluster, monkeypatch, capsys)
    code, told = command("deliveries", "--trigger", "hello", "--limit", "1000")
    shown = calm.deliveries(trigger="hello")
    assert sorted(one["id"] for one in told["deliveries"]) == sorted(one["id"] for one in shown)
    code, told = command("deliveries", "--customer", "member:E1", "--trigger", "hello")
    [one] = told["deliveries"]
    calm.shop.client.post("/v1/receipts/sms", json=[{"reference": one["id"], "state": "failed"}])
    calm.until("hello", ["E1"], failed=1)
    code, life = command("deliveries", one["id"], "--resend", "--reason", "asked")
    assert (code, life["by_hand"][0]["act"]) == (exits.OK, "resend")
    calm.until("hello", ["E1"], sent=1)
    assert command("deliveries", one["id"], "--resend", "--reason", "once more")[0] == exits.BAD_INPUT
    assert command("switch", "channel/sms", "--off") == (
        exits.OK, {"off": ["channel/sms"], "paused": [], "reasons": {"channel/sms": ""}},
    )  # fmt: skip
    assert calm.shop.get("/v1/switches")["off"] == ["channel/sms"]
    assert command("switch", "channel/sms", "--pause")[0] == exits.BAD_INPUT
    nothing: dict[str, Any] = {"off": [], "paused": [], "reasons": {}}
    assert command("switch", "channel/sms", "--on") == (exits.OK, nothing)
    body = {"what": "trigger/hello", "off": False, "paused": True, "reason": "试"}
    assert calm.shop.client.post("/v1/switches", json=body).json()["paused"] == {"trigger/hello": "试"}
    calm.orders("E3")
    calm.until("notice", ["E3"], sent=1)
    calm.until("hello", ["E3"], queued=1)
    told = {"off": [], "paused": ["trigger/hello"], "reasons": {"trigger/hello": "试"}}
    assert command("switch", "trigger/hello", "--pause", "--reason", "试") == (exits.OK, told)
    assert command("switch", "trigger/hello", "--on") == (exits.OK, nothing)
    calm.until("hello", ["E3"], sent=1)
    cluster.stop()
    sender = Ledger(cluster.folder / "a" / FOLDER, write=False)
    rebuilt = LedgerCopy(tmp_path)
    for _, records in fetches(cluster.kafka.address, Topics(cluster.name).ledger, {0: 0}):
        rebuilt.follow([(record.offset, record.value) for record in records])
    assert dump(rebuilt) == dump(sender)
    sender.close()
    rebuilt.close()
