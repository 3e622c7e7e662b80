"""A shop at work with its API, for tests: real log, engine, Valkey and relay, a clock that stands still."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from app.commands.run import serving
from app.embedded import Embedded, open_embedded
from console.server import Server, build_app, listen, served
from console.serving import Serving
from tests.app.little_shop import GOOD, write_shop

NOW = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
MINUTE = int(NOW.timestamp()) // 60
FILES: dict[str, str | None] = {
    "tintype.toml": "history = false\n" + GOOD["tintype.toml"],
    "sources/orders.yaml": """\
title: 订单
key: [order_id]
references:
  - {type: member, column: member_id}
  - {type: phone, column: phone}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: CNY, required: true, minimum: 0}
  status: {type: text}
""",
    "sources/clicks.yaml": """\
format: {type: segment, call: track, events: [Product Viewed, 浏览商品]}
key: [messageId]
references:
  - {type: member, column: userId}
  - {type: device, column: anonymousId, strong: false}
event_time: {column: timestamp}
columns:
  category: {type: text, from: properties.category}
  price: {type: decimal, scale: 2, currency: CNY, from: properties.price}
""",
    "sources/traits.yaml": """\
format: {type: segment, call: identify}
key: [userId]
references:
  - {type: member, column: userId}
event_time: {column: timestamp}
columns:
  city: {type: text, from: traits.city, attribute: city}
  born: {type: date, from: traits.birthday, attribute: birthday}
""",
    "sources/changes.yaml": """\
format: {type: debezium, table: parcels}
key: [parcel_id]
references:
  - {type: member, column: member_id}
event_time: {column: at, wire: epoch_ms, zone: UTC}
columns:
  status: {type: text}
""",
    "metrics.yaml": (
        'spend: sum(orders.amount, "365d")\norders_30d: count(orders, "30d")\n'
        'basket: avg(orders.amount, "365d")\nclicks_1d: count(clicks, "1d")\nlate: count(changes, "30d")\n'
    ),
    "tags/vip.yaml": "title: 贵宾\nowner: crm\ngroup: value\nrule: spend >= 500000\n",
    "triggers/hello.yaml": """\
when: {event: {source: orders}}
action: {channel: sms, template: hi, values: {fen: spend}}
guards: {max_age: 365d}
""",
    "coupons.yaml": "spring: {value: 20 off}\n",
    "tags/vip.test.yaml": None,
}


@dataclass
class AtWork:
    """client: with a key to read and to write; clock: [seconds since 1970], to be moved forward."""

    opened: Embedded
    answering: Serving
    app: FastAPI
    client: httpx.Client
    address: str
    keys: dict[str, str]
    clock: list[float]

    def send(self, source: str, *rows: dict[str, Any]) -> dict[str, Any]:
        """Post rows and return the answer, once the store has them."""
        answer = self.client.post(f"/v1/sources/{source}", json=list(rows))
        assert answer.status_code == 200, answer.text
        self.settle()
        found: dict[str, Any] = answer.json()
        return found

    def settle(self) -> None:
        """Wait until what was accepted is committed: a question is answered after that."""
        self.opened.service.ask(lambda owner: None).result(60)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the body of an answer that must be fine."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextlib.contextmanager
def at_work(folder: Path, files: dict[str, str | None] | None = None) -> Iterator[AtWork]:
    """Set a small shop to work in a folder."""
    write_shop(folder, {**FILES, **(files or {})})
    clock = [NOW.timestamp()]
    with open_embedded(folder, lambda _: None, now=lambda: clock[0]) as opened, serving(opened) as answering:
        answering.now = lambda: clock[0]
        keys = answering.keyring.begin() or {
            scope: answering.keyring.add("again", [scope]) for scope in ("read", "write")
        }
        both = answering.keyring.add("both", ["read", "write", "personal", "inbox"])
        app = build_app(answering)
        opened.wait_until_ready()
        headers = {"Authorization": f"Bearer {both}"}
        listening = listen("127.0.0.1", 0)
        with (
            contextlib.closing(listening),
            served(Server(app, listening)) as address,
            httpx.Client(base_url=address, headers=headers, timeout=60) as client,
        ):
            yield AtWork(opened, answering, app, client, address, keys, clock)


def states(shop: AtWork) -> list[str]:
    """Return what became of each decision, in their order."""
    return [one["delivery"]["state"] for one in shop.get("/v1/decisions")["decisions"]]


def wait_for(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Return once a condition holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.02)


def order(number: str, member: str, amount: object = "12.50", **more: Any) -> dict[str, Any]:
    """Return a row of orders."""
    row = {"order_id": number, "member_id": member, "created_at": "2026-03-01 16:00", "amount": amount}
    return {**row, "phone": "", "status": "paid", **more}
