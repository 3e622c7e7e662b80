"""A log, its history, a store, and what trains recommendations from the one into the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import redis

from app.shop import Shop
from rules.schema import Schema
from sinks.history.history import History
from sinks.history.relay import HistoryRelay
from sinks.recommendations.declaration import Recommendations
from sinks.recommendations.reading import Reading
from sinks.recommendations.shelves import Shelves
from sinks.recommendations.trainer import Trainer
from sinks.store.store import Commit, Store
from streams.control import Control
from streams.live import append_changes, append_controls
from streams.log.log import Log
from tests.sinks.history_shop import Outbox
from tests.streams.small_shop import new_log, shop

PARTITIONS = 4
START = 29_538_000
ORDERS: dict[str, Any] = {
    "key": ["id"], "references": [{"type": "member", "column": "member"}], "event_time": {"column": "at"},
    "columns": {
        "sku": {"type": "text"}, "pieces": {"type": "int"}, "name": {"type": "text"}, "left": {"type": "int"},
        "price": {"type": "decimal", "scale": 2},
    },
}  # fmt: skip
SHOP: Shop = shop(orders=ORDERS)
DECLARED = Recommendations.model_validate({
    "catalogue": {
        "source": "orders", "item": "sku", "title": {"zh": "name"}, "stock": "left", "price": "price",
    },
    "interests": [{"source": "orders", "item": "sku", "where": "pieces > 0"}],
    "train_every": "1h",
    "slots": {
        "home": {
            "strategies": ["popular in tag vip", "popular in segment main/冠军", "similar", "popular"],
            "personalised": {"consent": "web/profile"}, "rules": {"in_stock": True},
        }
    },
})  # fmt: skip


def row(number: int, member: str, sku: str, **more: Any) -> dict[str, Any]:
    at = f"2026-02-0{number % 7 + 1} 10:00"
    return {"id": str(number), "member": member, "at": at, "sku": sku, "pieces": 1, "name": f"{sku} 茶",
            "left": 5, "price": "9.90", **more}  # fmt: skip


class World:
    """A log, its history, a store and the trainer; ``clock``: seconds."""

    def __init__(self, folder: Path, client: redis.Redis, history: History) -> None:
        self.clock = 1_800_000_000.0
        self.log: Log = new_log(folder / "log", PARTITIONS)
        self.outbox = Outbox(PARTITIONS)
        self.history = history
        self.relay = HistoryRelay(self.history, self.log, self.outbox)
        self.client, self.store = client, Store(client, "small")
        self.shelves = Shelves(client, "small", PARTITIONS)
        self.trainer = self.new_trainer(folder)

    def new_trainer(self, folder: Path, declared: Recommendations = DECLARED) -> Trainer:
        schema = Schema.build(SHOP.sources, {}, [], SHOP.tags)
        return Trainer(
            folder, declared, SHOP.sources, schema, self.history, self.shelves, lambda: self.clock
        )

    @property
    def reading(self) -> Reading:
        return Reading(self.history, DECLARED, Schema.build(SHOP.sources, {}, [], SHOP.tags))

    def take(self, *rows: dict[str, Any], operations: list[str] | None = None) -> None:
        assert append_changes(self.log, SHOP, "orders", rows, START, operations=operations).rejected == 0
        self.relay.catch_up()

    def control(self, *controls: Control) -> None:
        append_controls(self.log, controls, START)
        self.relay.catch_up()

    def customer(self, member: str) -> bytes:
        found = self.history.query(
            "SELECT customer FROM changes_orders WHERE sku = {sku:String} LIMIT 1", {"sku": f"only {member}"}
        )
        return bytes.fromhex(found["customer"][0].as_py())

    def touched(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for one in self.reading.touches().to_pylist():
            found.setdefault(one["customer"], []).append((one["item"], one["times"]))
        return found

    def profile(self, *customers: bytes, **parts: Any) -> None:
        """Let the store have a profile of each."""
        document = json.dumps({"rfm": {}, "tags": {}, **parts}).encode()
        for partition in range(PARTITIONS):
            mine = [one for one in customers if self.shelves.partition_of(one) == partition]
            step = self.store.claim(partition).step + 1
            fields: dict[str, str | int] = {"step": step, "clock": START, "effects": 0}
            written = Commit(f"{step}:0", fields, [], [(one, document) for one in mine])
            self.store.commit(partition, written)


def filled(made: World) -> World:
    """M1 to M5 each have an item that only they want; M1 and M2 want A and B, M3 two A, M4 C."""
    members = [f"M{n}" for n in range(1, 6)]
    made.take(*(row(n, member, f"only {member}") for n, member in enumerate(members)))
    made.take(*(row(10 + n, member, sku) for n, (member, sku) in enumerate(
        [("M1", "A"), ("M1", "B"), ("M2", "A"), ("M2", "B"), ("M3", "A"), ("M3", "A"), ("M4", "C")]
    )))  # fmt: skip
    return made
