"""`tintype api` of a cluster with one worker, for tests, and rows for it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.clickhouse_address import ADDRESS, PASSWORD
from app.load import load_shop
from deploy.servers.places import Place
from streams.debezium import kafka as kafka_tools
from tests.app.little_shop import GOOD, write_shop
from tests.console.at_work import FILES
from tests.servers.cluster import Cluster
from tests.servers.forked import Forked
from tests.servers.waiting import wait_for

MEMBERS = """\
key: [member_id]
references:
  - {type: member, column: member_id}
  - {type: phone, column: phone}
event_time: {column: joined}
columns:
  name: {type: text, personal: true, attribute: name}
"""
LINKS = '[links]\nbase = "https://s.shop.example"\n'


def files(name: str, history: bool = False) -> dict[str, str | None]:
    settings = GOOD["tintype.toml"].replace('"Test"', f'"{name}"')
    kafka = f'[kafka]\nconnectors = "none"\n[kafka.topics]\nchanges = "{name}.changes"\n'
    toml = f"history = {str(history).lower()}\npartitions = 3\n{settings}{kafka}\n{LINKS}"
    return {**FILES, "tintype.toml": toml, "none/.keep": "", "sources/members.yaml": MEMBERS}


def where(clickhouse: Place | None) -> dict[str, str]:
    """Return how processes are told of a ClickHouse."""
    if clickhouse is None:
        return {}
    return {ADDRESS: clickhouse.address, PASSWORD: clickhouse.password}


@dataclass
class ApiOfCluster:
    """address, keys: by scope, of `tintype api`'s process; client: with a key of all scopes."""

    cluster: Cluster
    address: str
    keys: dict[str, str]
    client: httpx.Client

    def post(self, source: str, *rows: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/v1/sources/{source}", json=list(rows))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def metrics(self, customer: str) -> dict[str, Any]:
        """Return a customer's metrics; empty while nobody is known."""
        answer = self.client.get(f"/v1/profiles/{customer}")
        return dict(answer.json()["profile"]["metrics"]) if answer.status_code == 200 else {}

    def wait(self, until: Callable[[], Any], what: str) -> None:
        self.cluster.wait(until, what)


@contextmanager
def api_process(cluster: Cluster, **environment: str) -> Iterator[dict[str, Any]]:
    """Run `tintype api` as people do; yield what it says of itself."""
    command = ["api", str(cluster.folder / "shop"), "--port", "0", "--json"]
    said = cluster.folder / f"api.{uuid.uuid4().hex[:8]}.json"
    process = Forked(command, {**cluster.environment, **environment}, said, cluster.folder / "api.log")
    try:
        wait_for(lambda: process.poll() is not None or said.read_bytes().endswith(b"}\n"), "ready to answer")
        yield json.loads(said.read_text("utf-8"))
    finally:
        process.terminate()
        assert process.wait(30) == 0


@contextmanager
def api_of_cluster(
    kafka: Place, store: Place, folder: Path, changes: Mapping[str, str | None] | None = None,
    variables: Mapping[str, str] | None = None, clickhouse: Place | None = None,
) -> Iterator[ApiOfCluster]:  # fmt: skip
    """Run a shop of three partitions with one worker, named a, and one API process.

    changes: of its files; variables: more of the environment; clickhouse: where it has history, or nowhere.
    """
    name = f"t{uuid.uuid4().hex[:12]}"
    write_shop(folder / "shop", {**files(name, clickhouse is not None), **(changes or {})})
    shop = load_shop(folder / "shop")
    cluster = Cluster(kafka, store, folder, shop, variables={**(variables or {}), **where(clickhouse)})
    kafka_tools.make_topic(kafka.address, f"{name}.changes", 1)
    cluster.command("apply", str(folder / "shop"))
    with answering(cluster) as made:
        yield made


@contextmanager
def answering(cluster: Cluster) -> Iterator[ApiOfCluster]:
    """Run one worker of a cluster, named a, and one API process."""
    folder = cluster.folder
    cluster.start("a")
    try:
        with api_process(cluster) as told:
            scopes = [part for one in ("read", "write", "personal") for part in ("--scope", one)]
            said = cluster.command("keys", str(folder / "shop"), "add", "all", *scopes, "--json")
            headers = {"Authorization": f"Bearer {json.loads(said)['key']}"}
            with httpx.Client(base_url=told["api"], headers=headers, timeout=60) as client:
                yield ApiOfCluster(cluster, told["api"], told["keys"], client)
    finally:
        for one in cluster.workers.values():
            if one.process.poll() is None:
                one.kill()


def ago(minutes: int) -> str:
    """Return a time as the shop's zone, Asia/Shanghai, has it."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 8 * 3600 - minutes * 60))


def order(number: str, member: str, amount: str = "12.50", **more: str) -> dict[str, str]:
    row = {"order_id": number, "member_id": member, "created_at": ago(5), "amount": amount}
    return {**row, "phone": "", "status": "paid", **more}


def member(number: str, phone: str, name: str) -> dict[str, str]:
    return {"member_id": number, "phone": phone, "joined": ago(9), "name": name}
