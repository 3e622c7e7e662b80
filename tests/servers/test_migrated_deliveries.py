"""Deliveries of a cluster go on in another number of partitions, on real servers: what waited goes out once,
what was sent is known."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cluster.deliveries import cluster_ledger
from app.effects import Collector
from app.embedded import STORE_FOLDER
from app.load import load_shop
from app.migrating.cluster import check_no_workers, gathered, place_of_shop
from app.migrating.former import embedded
from app.migrating.migrate import Migration
from app.replay import Replay
from app.runtime import keep_settings
from app.sending.courier_relay import NAME
from app.sending.links import former_signers
from app.worker.place import ClusterPlace, cluster_place
from deploy.servers.places import Place
from engine.outcome import Decision
from sinks.channels.courier import Courier
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.switches import ask
from sinks.inbox.inbox import Inboxes
from sinks.inbox.message import Shown
from sinks.inbox.names import inbox_key
from sinks.links.code import LENGTH
from sinks.store.server import EmbeddedServer
from streams.debezium import kafka as kafka_tools
from streams.errors import InputError
from streams.live import append_changes
from streams.log.log import Log
from streams.log.rows import read_control
from streams.migrate.send import Progress, Sender
from tests.app.little_shop import write_shop
from tests.called import SECRET, id_of
from tests.servers.api_of_cluster import answering, files, order
from tests.servers.cluster import Cluster
from tests.servers.delivery_room import HOOK, Room, phone_of, room, sending_files, sends
from tests.sinks.loopback_http import Taken

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")
NEW = 2  # partitions


def switch(made: Room, way: str) -> str:
    return made.shop.cluster.command(
        "switch", str(made.shop.cluster.folder / "shop"), "trigger/hello", way, "--cluster"
    )


def following(former: Room, folder: Path) -> Cluster:
    """Write the shop under another name; its changes come from where the former's did."""
    name, door = f"{former.shop.cluster.name}n", former.door
    toml = str(files(name)["tintype.toml"]).replace("partitions = 3", f"partitions = {NEW}")
    toml = toml.replace(f'"{name}.changes"', f'"{former.shop.cluster.name}.changes"')
    write_shop(folder / "shop", {**files(name), **sending_files(door.port), "tintype.toml": toml})
    there = former.shop.cluster
    return Cluster(there.kafka, there.store, folder, load_shop(folder / "shop"), variables=HOOK)


def no_workers(former: Room, new: Cluster) -> bool:
    try:
        check_no_workers(place_of_shop(place_of(new), former.shop.cluster.name))
    except InputError:
        return False
    return True


def place_of(new: Cluster) -> ClusterPlace:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in new.environment.items():
            patched.setenv(name, value)
        return cluster_place(new.folder / "shop", load_shop(new.folder / "shop"))


def killed_amid(former: Room, new: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be killed where a part of the ledger is written."""
    real = Sender.progress

    def killed(self: Sender, progress: Progress) -> None:
        if progress.carried == 4:
            raise KeyboardInterrupt
        real(self, progress)

    with monkeypatch.context() as patched:
        patched.setattr("app.migrating.deliveries._TOGETHER", 1)
        patched.setattr(Sender, "progress", killed)
        place, shop = place_of(new), load_shop(new.folder / "shop")
        there = place_of_shop(place, former.shop.cluster.name)
        with gathered(there, place, NEW, folder / "log", lambda *_: None, fence=True) as found:
            migration = Migration(found, shop, place)
            with pytest.raises(KeyboardInterrupt), closing(migration):
                migration.run(folder / "work")


def code_of(taken: list[Taken], delivery: str) -> str:
    [text] = {
        json.loads(one.body)["data"]["text"] for one in taken if one.headers["webhook-id"] == delivery
    }  # fmt: skip
    return str(text)[-LENGTH:]


def test_what_waits_goes_out_once_and_what_was_sent_is_known(
    kafka: Place, store: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent, paused, on its way, asked and not done, put into an inbox: each is as it was, although the
    migration is killed amid."""
    with room(kafka, store, tmp_path / "former") as former:
        before, on_way, waits, late = ["A1", "A2"], ["B1", "B2"], ["C1", "C2"], ["D1"]
        former.orders(*before)
        former.until("hello", before, sent=2)
        former.until("boxed", before, sent=2)
        former.hold_up(on_way)
        switch(former, "--pause")
        former.orders(*waits)
        former.until("hello", waits, queued=2)
        sent = {one["customer"]: one for one in former.deliveries(trigger="hello", state="sent")}
        first, second = (sent[id_of(f"member:{one}")] for one in before)
        former.shop.cluster.workers["a"].kill()
        given = [{"reference": first["id"], "state": "delivered"}]
        assert former.shop.client.post("/v1/receipts/sms", json=given).status_code == 200
        told = former.told()
        new = following(former, tmp_path / "new")
        former.door.open.set()
        former.shop.wait(lambda: no_workers(former, new), "its worker is missed")
        killed_amid(former, new, tmp_path / "killed", monkeypatch)
        said = new.command(
            "migrate", str(new.folder / "shop"), "--from-shop", former.shop.cluster.name
        )
        assert "the new log comes to the same" in said
        waiting = json.loads(former.shop.cluster.command(
            "switch", str(former.shop.cluster.folder / "shop"), "--cluster", "--json"
        ))  # fmt: skip
        assert waiting["reasons"]["everything"] == f"what waits here is sent by {new.name} now"
        with answering(new) as shop:
            made = sends(shop, former.door)
            made.until("notice", [*before, *on_way, *waits], sent=6)
            made.until("hello", on_way, unknown=2)
            made.until("hello", before, delivered=1, sent=1)
            made.until("hello", waits, queued=2)
            switch(made, "--on")
            made.until("hello", waits, sent=2)
            given = [{"reference": second["id"], "state": "delivered"}]
            assert shop.client.post("/v1/receipts/sms", json=given).status_code == 200
            made.until("hello", before, delivered=2)
            follow(made, second["id"])
            made.orders(*late)
            made.until("hello", late, sent=1)
            inboxes = Inboxes(new.client, new.name, NEW)
            for one in before:
                read = inboxes.read(bytes.fromhex(id_of(f"member:{one}")), time.time())
                assert [message.shown.text for message in read.visible] == ["you spent 1250"]
            changes: dict[str, list[Any]] = {}
            for event in [*told, *made.told()]:
                changes.setdefault(event.body["decision"], []).append(event.body["change"])
            wrong = {one: at for one, at in changes.items() if sorted(at) != list(range(1, len(at) + 1))}
            assert wrong == {}
            audit = ("audit", str(new.folder / "shop"), "--cluster", "--decisions", "--json")
            found = json.loads(new.command(*audit))["decisions"]
            assert found["carried"] > found["told"] > 0  # each where the new log has it
            known = {one["id"] for one in made.deliveries(trigger="notice") if one["customer"] in sent}
        hello, notice = former.door.came("hello"), former.door.came("notice")
        assert set(hello.values()) == {1}
        assert {notice[one] for one in known} == {1}
        assert max(notice.values()) == 2  # it is transactional, and nobody knew whether it was out


def follow(made: Room, delivery: str) -> None:
    """Follow the link of a message that the former shop has sent."""
    code = code_of(list(made.door.requests), delivery)
    answer = made.shop.client.get(f"/s/{code}", headers={"Authorization": ""}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/1250")
    made.shop.wait(
        lambda: [one["clicks"] for one in made.deliveries() if one["id"] == delivery] == [1], "it is counted"
    )


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_embedded_shops_deliveries_are_the_new_clusters(
    kafka: Place, store: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had come to, and what it had not; a switch that its log was not told of is in every partition
    of the new one; its links and inboxes too. It was killed with a message on its way, and the migration
    with nothing but the settings to be applied."""
    name = f"t{uuid.uuid4().hex[:12]}"
    kafka_tools.make_topic(kafka.address, f"{name}.changes", 1)
    said = {**files(name), **sending_files(1)}
    former = str(said["tintype.toml"]).replace("partitions = 3", "partitions = 1")
    shop = load_shop(write_shop(tmp_path / "former", {**said, "tintype.toml": former}))
    data, now = tmp_path / "former" / "data", time.time()
    with Log.create(data, name, 1, SECRET) as log:
        keep_settings(log, shop)
        for number, minute in enumerate([int(now) // 60 - 2, int(now) // 60 - 1]):
            row = order(f"{number}", f"M{number}", phone=phone_of(f"M{number}"))
            append_changes(log, shop, "orders", [row], minute, "live", ["insert"])
        made: list[Decision] = []
        Replay(log, shop, Collector(lambda _, more: made.extend(more)).take).follow()
    courier = Courier(shop, lambda _customer, _kind: None)
    taken = [one for one in made if one.customer == id_of("member:M0")]
    with closing(Ledger(data)) as ledger:
        ledger.take(NAME, [(one, courier.route(one)) for one in taken], {0: taken[-1].seq + 1})
        [box] = ledger.waiting("box", [0], now, 9)
        ledger.write([Step(box.number, Event.CLAIM, now, "box/inbox")])
        ask(ledger, "trigger/hello", "off", "试", now)
    (data / "links.key").write_bytes(b"k" * 64)
    server = EmbeddedServer(data / STORE_FOLDER)
    Inboxes(server.client, name, 1).put(bytes.fromhex(box.decision.customer), box.decision.id,
                                        Shown("", "hi"), now)  # fmt: skip
    server.stop()

    new = Cluster(kafka, store, tmp_path, load_shop(write_shop(tmp_path / "shop", said)), variables=HOOK)
    with Log.open(data, write=True) as log, monkeypatch.context() as patched:
        migration = Migration(embedded(log), new.shop, place_of(new))
        patched.setattr(Migration, "_apply", killed)
        with pytest.raises(KeyboardInterrupt), closing(migration):
            migration.run(tmp_path / "work")
    told = new.command("migrate", str(new.folder / "shop"), "--from", str(data))
    assert "the settings are applied; start workers" in told
    assert "it was done before" in new.command("migrate", str(new.folder / "shop"), "--from", str(data))
    with cluster_ledger(place_of(new)) as there:
        ledger = there.seen
        entries = {one.decision.id: one for one in ledger.after(0, 99) if one.state != "nothing to send"}
        acts = {one.id: one for one in made if one.outcome == "act"}
        assert entries.keys() == acts.keys()
        states = Counter(one.state for one in entries.values())
        assert states == {"queued": len(acts) - 1, "unknown": 1}
        assert entries[box.decision.id].state == "unknown"
        assert former_signers(ledger, SECRET) == [(b"k" * 64, name)]
    with closing(Ledger(data)) as left:
        assert left.waiting("sms", [0], now + 99, 9) == []
    copies = new.copies(tmp_path / "look")
    for copy in copies:
        bodies = [json.loads(str(one.body)) for one in read_control(copy.log, kinds=["switch"]).itertuples()]
        assert bodies == [{"what": "trigger/hello", "off": True, "reason": "试"}]
        copy.close()
    inbox = Inboxes(new.client, name, 3).read(bytes.fromhex(box.decision.customer), now)
    assert [message.shown.text for message in inbox.visible] == ["hi"]
    assert new.client.pttl(inbox_key(name, 3, bytes.fromhex(box.decision.customer))) > 0
