"""Until when sources were heard of, as records of the log (D4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.shop import Shop
from streams.arrive import Arrivals
from streams.contract.source import Source
from streams.live import append_ticks
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from streams.message import Message
from tests.streams.small_shop import CONSENT, ORDERS, PARCELS, new_log, shop

T = 29_540_000
FEED: dict[str, Any] = {"format": {"type": "debezium"}, "event_time": {"column": "at", "zone": "UTC"}}
CALLED: dict[str, Any] = {
    "format": {"type": "segment", "call": "track"}, "key": ["messageId"], "stale_after": "5m",
    "references": [{"type": "member", "column": "userId"}], "event_time": {"column": "timestamp"},
}  # fmt: skip
SHOP = shop(
    orders=ORDERS | FEED, parcels=PARCELS | FEED | {"stale_after": "never"}, plain=ORDERS,
    watched=ORDERS | {"stale_after": "1h"}, called=CALLED, agreed=CONSENT,
)  # fmt: skip
ROW = {"id": 1, "member": "a", "phone": None, "at": "2026-03-01 10:00:00", "amount": "1.00", "status": "paid"}
CALL = {"type": "track", "event": "x", "messageId": "1", "userId": "a", "timestamp": "2026-03-01T10:00:00Z"}


def debezium(ms: int | None, op: str = "c", table: str = "orders") -> dict[str, Any]:
    """Return a change that the database made at a time, in milliseconds since 1970."""
    block = {
        "connector": "postgresql",
        "db": "shop",
        "schema": "public",
        "table": table,
        "lsn": 7,
        "ts_ms": ms,
    }
    return {"op": op, "before": None, "after": ROW, "source": block}


def taken(log: Log, *messages: tuple[str, Any], minute: int = T, of: Shop = SHOP) -> None:
    found = [Message(name, f"{name}/{at}", None if body is None else json.dumps(body).encode())
             for at, (name, body) in enumerate(messages)]  # fmt: skip
    Arrivals(log).take(of, [(found, None)], minute)


def told(log: Log) -> list[tuple[int, str, int]]:
    """Return (append minute, source, minute until which it was heard of), both after T, of every record."""
    control = read_control(log)
    fresh = control[control["kind"] == "fresh"]
    bodies = [json.loads(body) for body in fresh["body"]]
    minutes = [minute - T for minute in fresh["minute"].tolist()]
    return [(m, b["source"], b["until"] - T) for m, b in zip(minutes, bodies, strict=True)]


@pytest.mark.parametrize(
    ("source", "body", "until"),
    [
        ("orders", debezium(T * 60_000), 0),
        ("orders", debezium((T - 90) * 60_000 + 59_999), -90),  # a feed that catches up
        ("orders", debezium((T + 3) * 60_000), 0),  # a clock that is ahead of ours
        ("orders", debezium(None), 0),
        ("orders", {"ts_ms": (T - 1) * 60_000}, -1),  # a heartbeat
        ("orders", {"status": "BEGIN", "id": "1", "event_count": None, "data_collections": None,
                    "ts_ms": (T - 2) * 60_000}, -2),
        ("orders", debezium((T - 3) * 60_000, "m"), -3),
        ("orders", debezium(T * 60_000) | {"after": ROW | {"at": "2190-01-01 10:00:00"}}, None),  # put aside
        ("orders", None, None),  # a tombstone
        ("orders", {"what": "is this"}, None),
        ("parcels", {"ts_ms": T * 60_000}, None),  # never stale
        ("plain", ROW, None),
        ("watched", ROW, 0),
        ("agreed", {"member": "a", "channel": "sms", "purpose": "ads", "granted": True, "until": None,
                    "at": "2026-03-01 10:00:00"}, None),
        ("@segment", CALL, 0),
    ],
)  # fmt: skip
def test_what_can_be_read_says_until_when_its_source_was_heard_of(
    tmp_path: Path, source: str, body: Any, until: int | None
) -> None:
    """A message says that all before it is here: the minute of its writing counts, where it is known."""
    name = "called" if source == "@segment" else source
    with new_log(tmp_path) as log:
        taken(log, (source, body))
        assert told(log) == ([] if until is None else [(0, name, until)])


def test_the_log_is_told_once_a_minute_and_source_behind_the_rows(tmp_path: Path) -> None:
    """In every partition, with the rows, or not at all."""
    with new_log(tmp_path, 2) as log:
        arrivals = Arrivals(log)

        def take(minute: int, *sources: str) -> None:
            beats = [Message(name, f"{name}/{minute}", json.dumps(body).encode()) for name in sources
                     for body in ({"ts_ms": minute * 60_000}, debezium(minute * 60_000))]  # fmt: skip
            arrivals.take(SHOP, [(beats, None)], minute)

        for minute in (T, T, T + 1):
            take(minute, "orders")
        assert told(log) == [(0, "orders", 0), (1, "orders", 1)] * 2
        control, row = read_control(log), read_rows(log, SHOP.sources["orders"]).iloc[0]
        mine = control[(control["kind"] == "fresh") & (control["partition"] == row["partition"])]
        assert mine["step"].min() > row["step"]
        append_ticks(log, T + 5)
        arrivals.take(SHOP, [((), None)], T + 5)
        assert len(told(log)) == 4


def test_an_import_tells_nothing(tmp_path: Path) -> None:
    """What is read from the past says nothing of now."""
    with new_log(tmp_path) as log:
        message = Message("orders", "a", json.dumps(debezium(T * 60_000)).encode())
        Arrivals(log).take(SHOP, [((message,), None)], T, "import")
        assert told(log) == []


@pytest.mark.parametrize(
    ("declared", "minutes"),
    [
        ({}, 0), ({"format": {"type": "csv"}}, 0), ({"format": {"type": "segment"}}, 0),
        ({"format": {"type": "debezium"}}, 5), ({"format": {"type": "canal"}}, 5),
        ({"format": {"type": "maxwell"}}, 5), ({"format": {"type": "maxwell"}, "stale_after": "never"}, 0),
        ({"stale_after": "2h"}, 120),
    ],
)  # fmt: skip
def test_only_change_feeds_can_be_stale_unless_a_source_says_so(
    declared: dict[str, Any], minutes: int
) -> None:
    source = Source.model_validate({"key": ["id"], "event_time": {"column": "at"}, **declared})
    assert source.stale_minutes == minutes
