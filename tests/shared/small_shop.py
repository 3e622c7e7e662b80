"""A shop of change feeds, small enough to be gone through by every order of its lanes, and its messages."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import msgspec

from app.shop import Shop
from streams.message import Message

START_MS = 1_790_000_000_000 // 60_000 * 60_000

_SOURCES: dict[str, Any] = {
    "members": {
        "references": [{"type": "member", "column": "id"}, {"type": "phone", "column": "phone"}],
        "columns": {
            "city": {"type": "text", "attribute": "city"}, "phone": {"type": "text", "personal": True},
        },
    },
    "orders": {
        "references": [{"type": "member", "column": "member"}],
        "columns": {"amount": {"type": "int"}, "status": {"type": "text"}},
    },
    "parcels": {
        "via": {"source": "orders", "column": "order"},
        "columns": {"weight": {"type": "int"}, "carrier": {"type": "text"}},
    },
    "scans": {
        "via": {"source": "parcels", "column": "parcel"},
        "columns": {"place": {"type": "text"}},
    },
    "views": {
        "references": [
            {"type": "member", "column": "member"}, {"type": "device", "column": "device", "strong": False},
        ],
        "columns": {"seconds": {"type": "int"}},
    },
}  # fmt: skip
METRICS = {
    "spent": "sum(orders.amount)", "orders": "count(orders)", "paid": 'count(orders, status == "paid")',
    "parcels": "count(parcels)", "weight": "sum(parcels.weight)", "scans": "count(scans)",
    "places": "distinct(scans.place)", "seconds": "sum(views.seconds)", "views": "count(views)",
}  # fmt: skip


NONE: Mapping[str, str] = MappingProxyType({})


def small_shop(name: str = "small", windows: Mapping[str, str] = NONE, **more: Any) -> Shop:
    """Return the shop's declarations. windows: more metrics."""
    sources = {
        one: {
            "name": one, "key": ["id"], "event_time": {"column": "at", "wire": "epoch_ms", "zone": "UTC"},
            "format": {"type": "debezium", "table": f"public.{one}"}, "max_future": "30d", **declared,
        }
        for one, declared in _SOURCES.items()
    }  # fmt: skip
    settings = {"name": name, "identity_priority": ["member", "phone", "device"], **more}
    tags = {
        "big": {"name": "big", "rule": "sum(orders.amount) > 500"},
        "parcel": {"name": "parcel", "rule": "count(parcels) > 0", "sticky": "5m"},
    }
    metrics = {**METRICS, **windows}
    rfm = [{"frequency": "count(orders)", "monetary": "sum(orders.amount)", "bins": 3}]
    return Shop.model_validate(
        {"settings": settings, "sources": sources, "metrics": metrics, "tags": tags, "rfm": rfm}
    )


PARENTS, KEYS = ("orders", "parcels"), 12


@dataclass
class Feed:
    """Writes the messages of a database of that shop: topic -> messages, in order."""

    seed: int
    lanes: int = 2
    topics: dict[str, list[Message]] = field(default_factory=dict)
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {one: {} for one in _SOURCES})
    position: int = 1000
    start_ms: int = START_MS
    keys: int = KEYS  # of each source
    members: int = 5

    def write(self, changes: int, parents_too: bool = True) -> Self:
        """Change rows at random. At its end every parent is there: what is counted then is the same whatever
        came first. parents_too: write each of them, as the first time must."""
        random_ = random.Random(f"{self.seed} {self.position}")
        wanted = PARENTS if parents_too else ()
        parents = [(source, number) for source in wanted for number in range(self.keys)]
        others = [(random_.choice(list(_SOURCES)), random_.randrange(self.keys)) for _ in range(changes)]
        for source, number in random_.sample(parents + others, len(parents) + len(others)):
            key = f"{source[0].upper()}{number}"
            before = self.rows[source].get(key)
            if before is not None and source not in PARENTS and random_.random() < 0.2:
                del self.rows[source][key]
                self._message(source, key, before, None)
            else:
                row = {
                    "id": key,
                    "at": self._at(random_),
                    **self._row(source, number, random_),
                }
                self.rows[source][key] = row
                self._message(source, key, before, row)
        return self

    def put(self, source: str, key: str, **values: Any) -> None:
        """Write one row."""
        before, row = self.rows[source].get(key), {"id": key, "at": self.start_ms, **values}
        self.rows[source][key] = row
        self._message(source, key, before, row)

    def since(self, before: Mapping[str, int]) -> Feed:
        """Return a feed of the messages behind so many of each topic."""
        topics = {topic: held[before.get(topic, 0) :] for topic, held in self.topics.items()}
        return Feed(self.seed, self.lanes, topics)

    def counts(self) -> dict[str, int]:
        """Return how many messages each topic has."""
        return {topic: len(held) for topic, held in self.topics.items()}

    def _at(self, random_: random.Random) -> int:
        """Return when a row happened, in ms."""
        return self.start_ms + 1000 * random_.randrange(60)

    def _member(self, random_: random.Random) -> str:
        return f"M{random_.randrange(self.members)}"

    def _row(self, source: str, number: int, random_: random.Random) -> dict[str, Any]:
        member = self._member(random_)
        if source == "members":
            return {"phone": f"138{number}", "city": random_.choice(["上海", "北京"])}
        if source == "orders":
            amount, status = random_.randrange(300), random_.choice(["new", "paid"])
            return {"member": member, "amount": amount, "status": status}
        if source == "parcels":
            order = f"O{random_.randrange(self.keys)}"
            return {"order": order, "weight": random_.randrange(9), "carrier": "SF"}
        if source == "scans":
            return {"parcel": f"P{random_.randrange(self.keys)}", "place": random_.choice("abc")}
        return {
            "member": member, "device": f"d{member}", "seconds": random_.randrange(50),
        }  # fmt: skip

    def _message(
        self, source: str, key: str, before: Mapping[str, Any] | None, row: Mapping[str, Any] | None
    ) -> None:
        self.position += 10
        op = "d" if row is None else "c" if before is None else "u"
        topic = f"shop.public.{source}/{sum(key.encode()) % self.lanes}"
        held = self.topics.setdefault(topic, [])
        body = {"before": before if op == "d" else None, "after": row, "op": op}
        held.append(debezium(source, f"{topic}/{len(held)}", key, body, self.position, self.start_ms))


def debezium(
    source: str, place: str, key: str, body: Mapping[str, Any], lsn: int, ms: int, snapshot: str = "false"
) -> Message:
    """Return a change as Debezium writes it. body: before, after and op."""
    origin = {
        "version": "3.7.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": ms,
        "snapshot": snapshot, "db": "shop", "schema": "public", "table": source, "txId": 1, "lsn": lsn,
    }  # fmt: skip
    value = msgspec.json.encode({**body, "ts_ms": ms, "source": origin})
    return Message(source, place, value, msgspec.json.encode({"id": key}))
