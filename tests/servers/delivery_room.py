"""A cluster whose messages go to a door, for tests of what it sends."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.servers.places import Place
from sinks.topics.names import topics_of
from streams.log.rows import read_control
from tests.called import id_of
from tests.servers.api_of_cluster import ApiOfCluster, api_of_cluster, order
from tests.servers.topic_reader import Seen, seen
from tests.sinks.loopback_http import LoopbackHttp, Reply, Taken

HOOK = {"HOOK": "whsec_" + base64.b64encode(b"n" * 32).decode()}
FEW = 5  # acts of `big`, which its forecast lets pass
EVENT = "when: {event: {source: orders}}\nguards: {max_age: 365d}\n"
TEXTS = "  templates:\n    hi: 'you spent {{ fen }}'\n"
LINKED = (
    "  templates:\n    hi:\n      text: 'you spent {{ fen }}: {{ link }}'\n"
    "      link: 'https://shop.example/{{ fen }}'\n"
)
ACTION = "action: {channel: sms, template: hi, values: {fen: spend}}\n"


class Door(LoopbackHttp):
    """The other side of a webhook; shut, it lets nobody have an answer."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        super().__init__()

    def answer(self, taken: Taken) -> Reply:
        reply = super().answer(taken)
        self.open.wait(60)
        return reply

    def came(self, trigger: str) -> Counter[str]:
        """Return how often each message of a trigger has come, by its id."""
        said = [(one.headers["webhook-id"], json.loads(one.body)) for one in list(self.requests)]
        return Counter(name for name, body in said if body["data"]["trigger"] == trigger)


@dataclass
class Room:
    """A cluster whose messages go to a door."""

    shop: ApiOfCluster
    door: Door
    sent: list[str] = field(default_factory=list)

    def orders(self, *members: str) -> None:
        rows = [order(f"{one}-{time.time_ns()}", one, phone=phone_of(one)) for one in members]
        self.shop.post("orders", *rows)

    def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        return list(self.shop.get("/v1/deliveries", limit=1000, **query)["deliveries"])

    def states(self, trigger: str, *members: str) -> Counter[str]:
        """Return how many deliveries of some members are in each state."""
        whose = {id_of(f"member:{one}") for one in members}
        return Counter(one["state"] for one in self.deliveries(trigger=trigger) if one["customer"] in whose)

    def until(self, trigger: str, members: list[str], **wanted: int) -> None:
        named = {name.replace("_", " "): count for name, count in wanted.items()}
        self.shop.wait(lambda: self.states(trigger, *members) == named, f"{trigger} is {named}")

    def hold_up(self, members: list[str]) -> None:
        """Let messages to some members be on their way, and nobody have an answer."""
        hello, notice = len(self.door.came("hello")), len(self.door.came("notice"))
        self.door.open.clear()
        self.orders(*members)
        self.shop.wait(
            lambda: len(self.door.came("hello")) > hello and len(self.door.came("notice")) > notice,
            "some of both are on their way",
        )

    def check_taken_over(self, members: list[str]) -> None:
        """Open the door, and see that another sends what is to be sent: marketing that was on its way is not,
        what is transactional is sent again under the same id."""
        self.door.open.set()
        self.until("notice", members, sent=len(members))
        self.shop.wait(
            lambda: set(self.states("hello", *members)) == {"unknown", "sent"}
            or self.states("hello", *members) == {"unknown": len(members)}, "all have an end",
        )  # fmt: skip
        assert max(self.door.came("hello").values()) == 1
        assert max(self.door.came("notice").values()) == 2

    def bodies(self, kind: str, decision: str) -> list[dict[str, Any]]:
        """Return the bodies of control records of a kind that tell of a decision."""
        return [body for found in self.records(kind) for _, body in found if body["decision"] == decision]

    def told(self) -> list[Seen]:
        """Return the events of the topic of deliveries."""
        cluster = self.shop.cluster
        topics, partitions = topics_of(cluster.name), cluster.shop.settings.partitions
        return asyncio.run(seen(cluster.kafka.address, topics, partitions, topics.deliveries))

    def wrongly_told(self) -> list[str]:
        """Return of which deliveries a change is missing, told twice, or out of order."""
        changes: dict[str, list[int]] = {}
        for event in self.told():
            changes.setdefault(event.body["decision"], []).append(event.body["change"])
        return [one for one, found in changes.items() if found != list(range(1, len(found) + 1))]

    def records(self, kind: str) -> list[list[Any]]:
        """Return (customer, body) of each partition's control records of a kind."""
        found = []
        for copy in self.shop.cluster.copies(self.shop.cluster.folder / "look"):
            table = read_control(copy.log, kinds=[kind])
            found.append([(one.customer, json.loads(str(one.body))) for one in table.itertuples()])
            copy.close()
        return found


def phone_of(member: str) -> str:
    return f"138{zlib.crc32(member.encode()) % 10**8:08d}"


def sending_files(port: int) -> dict[str, str | None]:
    """Return the files of a shop whose messages go to a door at a port."""
    channel = (
        "sms:\n  address: phone\n  providers:\n"
        f"    - {{kind: webhook, url: 'http://127.0.0.1:{port}/h', "
        "secrets_env: [HOOK], allow: [127.0.0.1], plain_http: true, timeout: 60s}\n"
        + LINKED + "paper:\n  providers: [{kind: file, path: sent.jsonl}]\n" + TEXTS
        + "box:\n  providers: [{kind: inbox}]\n" + TEXTS
    )
    return {
        "channels.yaml": channel, "triggers/hello.yaml": EVENT + ACTION,
        "triggers/filed.yaml": EVENT + ACTION.replace("sms", "paper"),
        "triggers/boxed.yaml": EVENT + ACTION.replace("sms", "box"),
        "triggers/big.yaml": (
            f"when: {{event: {{source: orders}}}}\n{ACTION}if: spend >= 900000 && spend < 950000\n"
            f"guards: {{max_age: 365d, forecast: {{most: {FEW}, within: 1h}}}}\n"
        ),
        "triggers/quiet.yaml": f"{EVENT}{ACTION}if: spend >= 950000\nstatus: shadow\n",
        "triggers/notice.yaml": EVENT + ACTION + "purpose: transactional\n",
    }  # fmt: skip


@contextmanager
def room(kafka: Place, store: Place, folder: Path) -> Iterator[Room]:
    door = Door()
    try:
        with api_of_cluster(kafka, store, folder, sending_files(door.port), HOOK) as shop:
            yield sends(shop, door)
    finally:
        door.open.set()
        door.go_away()


def sends(shop: ApiOfCluster, door: Door) -> Room:
    """Return a cluster's room once somebody sends."""
    shop.wait(lambda: shop.client.get("/v1/providers").status_code == 200, "somebody sends")
    return Room(shop, door)
