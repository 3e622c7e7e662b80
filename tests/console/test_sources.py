"""Rows and change messages sent in: durable when answered, once however often they are sent."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from streams.log.log import Log
from streams.log.rows import read_rows
from tests.console.at_work import MINUTE, AtWork, order

ROWS = [order("A1", "M1"), order("A2", "M2", "7.00")]
LINES = [json.dumps(row).encode() for row in ROWS]
BODIES: list[tuple[str, bytes, dict[str, str], int]] = [
    ("one object", json.dumps(ROWS[0]).encode(), {"Content-Type": "application/json"}, 1),
    ("an array", json.dumps(ROWS).encode(), {"Content-Type": "application/json; charset=utf-8"}, 2),
    ("an empty array", b" [] ", {}, 0),
    ("lines", b"\r\n".join(LINES), {"Content-Type": "application/x-ndjson"}, 2),
    ("lines, some empty", b"\n\n" + LINES[0] + b"\n", {"Content-Type": "application/jsonl"}, 1),
    ("gzip", gzip.compress(json.dumps(ROWS).encode()), {"Content-Encoding": "gzip"}, 2),
    (
        "gzip in two members", gzip.compress(b"[") + gzip.compress(json.dumps(ROWS[0]).encode() + b"]"),
        {"Content-Encoding": "gzip"}, 1,
    ),
    ("text, as a browser's beacon sends it", json.dumps(ROWS).encode(), {"Content-Type": "text/plain"}, 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "accepted"), [one[1:] for one in BODIES], ids=[one[0] for one in BODIES]
)
def test_a_body_has_several_shapes(shop: AtWork, body: bytes, headers: dict[str, str], accepted: int) -> None:
    answer = shop.client.post("/v1/sources/orders", content=body, headers=headers)
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (200, accepted, [])


def test_what_is_answered_is_on_disk(fresh: AtWork) -> None:
    """Accepted means durable: another reader of the file sees it before the store does."""
    answer = fresh.client.post("/v1/sources/orders", json=ROWS)
    with Log.open(fresh.opened.data) as log:
        assert len(read_rows(log, fresh.opened.shop.sources["orders"])) == 2
    assert answer.json()["accepted"] == 2


def test_what_breaks_the_contract_is_put_aside_and_the_rest_is_taken(fresh: AtWork) -> None:
    found = fresh.send("orders", order("A1", "M1"), order("A2", "M2", "12,5"), order("A3", "M3", None))
    assert found["accepted"] == 1
    assert [one["place"].rpartition("/")[2] for one in found["rejected"]] == ["2", "3"]
    assert "12,5" in found["rejected"][0]["problem"]
    assert found["rejected"][0]["hint"]
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["spend"] == 1250
    assert fresh.client.get("/v1/profiles/member:M2").status_code == 404


def test_a_line_that_is_no_json_is_put_aside_by_its_number(fresh: AtWork) -> None:
    body = b"\n".join([json.dumps(ROWS[0]).encode(), b"{oops", b"[1]", json.dumps(ROWS[1]).encode()])
    answer = fresh.client.post(
        "/v1/sources/orders", content=body, headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.json()["accepted"] == 2
    assert [one["place"].rpartition("/")[2] for one in answer.json()["rejected"]] == ["2", "3"]


def test_the_same_row_again_counts_once_and_a_changed_one_replaces_it(fresh: AtWork) -> None:
    for _ in range(3):
        fresh.send("orders", order("A1", "M1"))
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["orders_30d"] == 1
    fresh.send("orders", order("A1", "M1", "20.00"))
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["spend"] == 2000


def test_the_same_dead_body_again_is_the_same_dead_letter(fresh: AtWork) -> None:
    first, second = (fresh.send("orders", order("A1", "M1", "x"))["rejected"] for _ in range(2))
    assert first == second


def test_a_request_with_a_name_is_taken_once(fresh: AtWork) -> None:
    """A repeated idempotency key gets the first answer, whatever the body is now."""

    def post(amount: str, name: str) -> dict[str, Any]:
        rows = [order("A1", "M1", amount), order("A2", "M1", "x")]
        answer = fresh.client.post("/v1/sources/orders", json=rows, headers={"Idempotency-Key": name})
        fresh.settle()
        return {field: answer.json()[field] for field in ("accepted", "counted", "rejected")}

    first = post("5.00", "one")
    assert (first["accepted"], len(first["rejected"])) == (1, 1)
    assert post("9.00", "one") == first
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["spend"] == 500
    post("9.00", "two")
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["spend"] == 900


def test_two_keys_do_not_meet_in_one_name(fresh: AtWork) -> None:
    for key, amount in ((fresh.keys["write"], "5.00"), (fresh.answering.keyring.add("x", ["write"]), "6.00")):
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
        fresh.client.post("/v1/sources/orders", json=order("A1", "M1", amount), headers=headers)
    fresh.settle()
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["spend"] == 600


def debezium(op: str, number: str, lsn: int) -> dict[str, Any]:
    """Return an event as Debezium Server's HTTP sink posts it: the value alone, one a request."""
    row = {"parcel_id": number, "member_id": "M1", "at": MINUTE * 60_000, "status": "late"}
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": "parcels", "lsn": lsn,
              "ts_ms": MINUTE * 60_000, "snapshot": "false", "name": "s", "txId": 1}  # fmt: skip
    before, after = (row, None) if op == "d" else (None, row)
    return {"before": before, "after": after, "source": source, "op": op, "ts_ms": MINUTE * 60_000}


def test_change_messages_come_as_debezium_server_posts_them(fresh: AtWork) -> None:
    """One event a request, the key in the query: its HTTP sink can set no header of its own."""

    def post(event: dict[str, Any]) -> dict[str, Any]:
        url = f"{fresh.address}/v1/sources/changes?key={fresh.keys['write']}"
        headers = {"X-DEBEZIUM-__DEBEZIUM.CONTEXT": "eA=="}
        answer = httpx.post(url, json=event, headers=headers)
        assert answer.status_code == 200, answer.text
        fresh.settle()
        found: dict[str, Any] = answer.json()
        return found

    def late() -> int:
        return int(fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["late"])

    for lsn, number in ((10, "P1"), (20, "P2"), (20, "P2")):
        assert post(debezium("c", number, lsn))["rejected"] == []
    assert late() == 2
    assert post(debezium("d", "P1", 30))["accepted"] == 1
    assert late() == 1
    heartbeat = {"ts_ms": MINUTE * 60_000}
    assert post(heartbeat)["counted"] == {"heartbeat": 1}
    assert len(post({"op": "c"})["rejected"]) == 1
