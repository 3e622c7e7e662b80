"""Every wrong request has its problem document (RFC 9457), with the status that says whose fault it is."""

from __future__ import annotations

import gzip
import json
import os
import signal
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from app.figures import Figures
from app.owner import Owner
from console.bodies import DEEPEST
from console.problems import KINDS, ProblemDocument
from streams.message import LARGEST_BYTES
from tests.console.at_work import AtWork, order, wait_for

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
TOO_LARGE = b"[" + b" " * LARGEST_BYTES + b"]"
TOO_DEEP = b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1)
TOO_MANY = b"[" + b"1," * 50_000 + b"1]"
LONG_NAME = {"Idempotency-Key": "x" * 256}
NO_KEY = {"Authorization": ""}

CASES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/nothing", {}, 404, "not-found"),
    ("GET", "/v1/nothing", {}, 404, "not-found"),
    ("GET", "/v1/profiles", {}, 404, "not-found"),
    ("GET", "/static/nothing.js", {}, 404, "not-found"),
    ("GET", "/problems/nothing", {}, 404, "not-found"),
    ("DELETE", "/v1/tags", {}, 405, "method-not-allowed"),
    ("GET", "/v1/sources/orders", {}, 405, "method-not-allowed"),
    ("GET", "/v1/tags", {"headers": NO_KEY}, 401, "key-missing"),
    ("GET", "/v1/tags", {"headers": {"Authorization": "Bearer"}}, 401, "key-missing"),
    ("GET", "/v1/tags", {"headers": {"Authorization": "Digest x"}}, 401, "key-missing"),
    ("GET", "/v1/tags", {"headers": {"Authorization": "Bearer tt_0_0"}}, 401, "key-unknown"),
    ("GET", "/v1/tags", {"headers": {"Authorization": "Bearer wrong"}}, 401, "key-unknown"),
    ("GET", "/v1/tags", {"headers": {"Authorization": "Basic ###"}}, 401, "key-unknown"),
    ("GET", "/v1/tags?key=tt_0_0", {"headers": NO_KEY}, 401, "key-missing"),
    ("GET", "/metrics", {"headers": NO_KEY}, 401, "key-missing"),
    ("POST", "/v1/sources/orders", {"headers": NO_KEY, "json": []}, 401, "key-missing"),
    ("POST", "/v1/sources/orders?key=wrong", {"headers": NO_KEY, "json": []}, 401, "key-unknown"),
    ("POST", "/v1/track", {"headers": NO_KEY, "json": {}}, 401, "key-missing"),
    ("POST", "/v1/track", {"headers": NO_KEY, "json": {"writeKey": "wrong"}}, 401, "key-unknown"),
    ("GET", "/v1/profiles/member:nobody", {}, 404, "unknown-customer"),
    ("GET", "/v1/profiles/nobody", {}, 404, "unknown-customer"),
    ("GET", "/v1/profiles/" + "0" * 32, {}, 404, "unknown-customer"),
    ("GET", "/v1/profiles/" + "0" * 32 + "?why=1", {}, 404, "unknown-customer"),
    ("GET", "/v1/profiles/" + "x" * 32, {}, 404, "unknown-customer"),
    ("GET", "/v1/profiles/member:M1?fields=tag", {}, 422, "invalid-request"),
    ("GET", "/v1/profiles/member:M1?why=perhaps", {}, 422, "invalid-request"),
    ("POST", "/v1/profiles:batch", {"json": {"customers": ["x"] * 1001}}, 422, "invalid-request"),
    ("POST", "/v1/profiles:batch", {"json": {"customers": [1]}}, 422, "invalid-request"),
    ("POST", "/v1/profiles:batch", {"json": {}}, 422, "invalid-request"),
    ("POST", "/v1/profiles:batch", {"json": {"customers": [], "fields": ["x"]}}, 422, "invalid-request"),
    ("POST", "/v1/profiles:batch", {"content": b"{", "headers": JSON}, 400, "malformed-body"),
    ("GET", "/v1/decisions?cursor=-1", {}, 422, "invalid-request"),
    ("GET", "/v1/decisions?cursor=99999999999999999999", {}, 422, "invalid-request"),
    ("GET", "/v1/decisions?limit=0", {}, 422, "invalid-request"),
    ("GET", "/v1/decisions?limit=1001", {}, 422, "invalid-request"),
    ("GET", "/v1/decisions?customer=member:nobody", {}, 404, "unknown-customer"),
    ("GET", "/v1/decisions?cursor=1.2", {}, 422, "invalid-request"),
    ("GET", "/v1/triggers/helo", {}, 404, "unknown-trigger"),
    ("GET", "/v1/tag-changes?cursor=1.2", {}, 422, "invalid-request"),
    ("GET", "/v1/tag-changes?customer=member:nobody", {}, 404, "unknown-customer"),
    ("GET", "/v1/tag-changes?cursor=99999", {}, 410, "cursor-gone"),
    ("POST", "/v1/sources/order", {"json": []}, 404, "unknown-source"),
    ("POST", "/v1/sources/clicks", {"json": []}, 422, "invalid-request"),
    ("POST", "/v1/sources/orders", {"content": b"", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b"null", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b'"row"', "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b"{", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b"[{}", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b"[{},]", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b'[{"a": NaN}]', "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": b'{"a": "\xff"}', "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": TOO_DEEP, "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": TOO_DEEP, "headers": LINES}, 400, "malformed-body"),
    ("POST", "/v1/sources/orders", {"content": TOO_LARGE, "headers": JSON}, 413, "body-too-large"),
    (
        "POST", "/v1/sources/orders",
        {"content": gzip.compress(TOO_LARGE), "headers": {**JSON, "Content-Encoding": "gzip"}},
        413, "body-too-large",
    ),
    (
        "POST", "/v1/sources/orders", {"content": b"{}", "headers": {**JSON, "Content-Encoding": "gzip"}},
        400, "malformed-body",
    ),
    (
        "POST", "/v1/sources/orders",
        {"content": gzip.compress(b"[]")[:-4], "headers": {**JSON, "Content-Encoding": "gzip"}},
        400, "malformed-body",
    ),
    (
        "POST", "/v1/sources/orders", {"content": b"{}", "headers": {**JSON, "Content-Encoding": "br"}},
        415, "unsupported-media",
    ),
    ("POST", "/v1/sources/orders", {"content": TOO_MANY, "headers": JSON}, 413, "body-too-large"),
    ("POST", "/v1/sources/orders", {"data": {"order_id": "A1"}}, 415, "unsupported-media"),
    (
        "POST", "/v1/sources/orders",
        {"content": b"{}", "headers": {"Content-Type": "application/cloudevents+json"}},
        415, "unsupported-media",
    ),
    ("POST", "/v1/sources/orders", {"json": [], "headers": LONG_NAME}, 422, "invalid-request"),
    ("POST", "/v1/track", {"content": b"[]", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/track", {"content": b"{", "headers": JSON}, 400, "malformed-body"),
    ("POST", "/v1/track", {"data": {"event": "x"}}, 415, "unsupported-media"),
    ("POST", "/v1/batch", {"json": {}}, 400, "malformed-body"),
    ("POST", "/v1/batch", {"json": {"batch": {}}}, 400, "malformed-body"),
    ("POST", "/v1/batch", {"content": TOO_DEEP, "headers": JSON}, 400, "malformed-body"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "kind"),
    CASES,
    ids=[f"{n} {one[1][:40]} {one[4]}" for n, one in enumerate(CASES)],
)
def test_a_wrong_request_has_its_problem(
    shop: AtWork, method: str, path: str, request_: dict[str, Any], status: int, kind: str
) -> None:
    answer = shop.client.request(method, path, **request_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    told = ProblemDocument.model_validate_json(answer.content, strict=True)
    assert (told.code, told.status, told.type) == (kind, status, f"/problems/{kind}")
    assert told.detail
    assert told.hint
    assert shop.client.get(told.type).json()["title"] == told.title
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_nothing_of_a_refused_body_is_taken(shop: AtWork) -> None:
    before = shop.get("/v1/tags")["position"]
    good = json.dumps(order("A99", "M99")).encode()
    for body in (b"[" + good + b", {]", b"[" + good + b"," + TOO_DEEP + b"]"):
        assert shop.client.post("/v1/sources/orders", content=body, headers=JSON).status_code == 400
    assert shop.get("/v1/tags")["position"] == before


def test_the_table_of_kinds_is_all_tried_or_about_a_service_that_cannot_answer() -> None:
    tried = {one[4] for one in CASES}
    elsewhere = {"scope-missing", "not-ready", "store-away", "disk-full", "stopping", "busy", "defect"}
    elsewhere |= {"kafka-away", "not-here"}  # of a cluster
    elsewhere |= {"token-over", "unknown-message"}  # test_messages
    elsewhere |= {"unknown-coupon"}  # test_coupons_api
    elsewhere |= {"unknown-broadcast"}  # test_broadcasts_api
    elsewhere |= {"unknown-slot"}  # test_recommendations
    elsewhere |= {"unknown-trigger", "history-away"}  # test_results_api
    elsewhere |= {"not-signed", "unknown-delivery", "unknown-channel", "wrong-state"}  # test_deliveries_api
    assert tried | elsewhere == set(KINDS)


def test_a_key_to_read_may_not_write_and_the_other_way_round(shop: AtWork) -> None:
    for scope, path in (
        ("write", "/v1/tags"),
        ("write", "/metrics"),
        ("read", "/v1/sources/orders"),
        ("read", "/v1/track"),
    ):
        method = "POST" if scope == "read" else "GET"
        answer = shop.client.request(method, path, headers={"Authorization": f"Bearer {shop.keys[scope]}"})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing"), path


def test_what_needs_no_key_is_open(shop: AtWork) -> None:
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/static/docs.js", "/problems/defect"):
        assert httpx.get(shop.address + path).status_code == 200, path


def test_a_defect_is_a_problem_too_and_tells_nothing_of_the_inside(
    shop: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(shop.answering.view, "customers", broken)
    answer = shop.client.get("/v1/profiles/member:M1")
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "secret" not in answer.text


def test_a_service_that_is_not_ready_says_so_and_when_to_come_again(
    shop: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = SimpleNamespace(ready=False, taking=False, failed=None, figures=Figures())
    monkeypatch.setattr(shop.answering.work, "_service", waiting)
    for method, path in (
        ("GET", "/readyz"),
        ("POST", "/v1/sources/orders"),
        ("POST", "/v1/track"),
        ("GET", "/v1/rfm"),
    ):
        answer = shop.client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (503, "not-ready"), path
        assert answer.headers["retry-after"] == "1"
    assert shop.client.get("/healthz").status_code == 200
    assert shop.get("/v1/profiles/member:M1")["profile"]["id"], "the store goes on telling what it has"


def test_a_stopped_service_takes_nothing(fresh: AtWork) -> None:
    fresh.opened.service.stop()
    fresh.opened.worker.join()
    answer = fresh.client.post("/v1/sources/orders", json=[order("A1", "M1")])
    assert answer.status_code == 503
    assert answer.json()["code"] in ("stopping", "not-ready")


def test_a_store_that_is_away_is_said_so_and_comes_back(
    fresh: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    import redis

    def away(*_: object) -> None:
        raise redis.ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(fresh.answering.store, "read", away)
        for path in ("/readyz", "/v1/profiles/" + "0" * 32, "/v1/decisions"):
            answer = fresh.client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "store-away"), path
        metrics = fresh.client.get("/metrics").text
        assert "tintype_store_up 0.0" in metrics
        taken = fresh.client.post("/v1/sources/orders", json=[order("A1", "M1")])
        assert (taken.status_code, taken.json()["accepted"]) == (200, 1), "it is durable all the same"
    assert fresh.client.get("/readyz").status_code == 200


def test_while_commits_wait_for_the_store_rows_are_taken_and_questions_are_not(
    fresh: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fresh.opened.server, "revive", lambda: False)
        os.kill(fresh.opened.server.pid, signal.SIGKILL)
        for number in ("A1", "A2"):
            taken = fresh.client.post("/v1/sources/orders", json=[order(number, "M1")])
            assert (taken.status_code, taken.json()["accepted"]) == (200, 1)
            wait_for(lambda: fresh.opened.service.figures.store_away)
        for path in ("/readyz", "/v1/rfm", "/v1/profiles/member:M1"):
            answer = fresh.client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "store-away"), path
    wait_for(lambda: fresh.client.get("/readyz").status_code == 200)
    assert fresh.get("/v1/profiles/member:M1")["profile"]["metrics"]["orders_30d"] == 2


def test_a_full_disk_is_said_so_and_the_same_request_counts_when_there_is_room(fresh: AtWork) -> None:
    def pages(owner: Owner, most: int) -> int:
        owner.log.connection.execute(f"PRAGMA max_page_count = {most}")
        return int(owner.log.connection.execute("PRAGMA page_count").fetchone()[0])

    service = fresh.opened.service
    held = service.ask(lambda owner: pages(owner, 0)).result()
    service.ask(lambda owner: pages(owner, held)).result()  # as small as it is now
    rows = [order(f"B{number}", f"M{number}") for number in range(3000)]
    answer = fresh.client.post("/v1/sources/orders", json=rows)
    assert (answer.status_code, answer.json()["code"]) == (503, "disk-full")
    service.ask(lambda owner: pages(owner, 1_000_000)).result()
    taken = fresh.client.post("/v1/sources/orders", json=rows)
    assert (taken.status_code, taken.json()["accepted"]) == (200, 3000)
