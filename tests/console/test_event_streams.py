"""What came out and became of it, as CloudEvents over HTTP: streams that resume exactly, and batches."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from console import bell, event_stream
from console.form import Concluded
from console.server import Server, build_app, listen, served
from engine.outcome import Decision
from sinks.events.envelope import BATCH
from tests.console.at_work import AtWork, at_work, order, states, wait_for
from tests.console.inbox_at_work import bearing, streamed

PATHS = ["/v1/decisions", "/v1/delivery-changes", "/v1/tag-changes"]
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("events") / "little") as found:
        found.send("orders", *(order(f"A{n}", f"M{n}", "7.00", phone=f"1380000000{n}") for n in range(4)))
        wait_for(lambda: states(found) == ["sent"] * 4)
        yield found


def some(events: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return the next so many events, without comments."""
    return list(itertools.islice((one for one in events if "data" in one), count))


def everything(shop: AtWork, path: str) -> list[dict[str, Any]]:
    """Return all events of a path, by batches of three."""
    found: list[dict[str, Any]] = []
    url = f"{path}?limit=3"
    while True:
        answer = shop.client.get(url, headers={"Accept": BATCH})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == BATCH
        url = answer.links["next"]["url"]
        if not answer.json():
            return found
        found += answer.json()


@pytest.mark.parametrize("path", PATHS)
def test_a_reader_resumes_exactly_behind_each_event(shop: AtWork, path: str) -> None:
    whole = everything(shop, path)
    assert len(whole) == {"/v1/decisions": 4, "/v1/delivery-changes": 12, "/v1/tag-changes": 4}[path]
    with streamed(shop.client, path) as events:
        told = some(events, len(whole))
    assert [one["data"] for one in told] == whole
    for place, one in enumerate(told[:-1], start=1):
        with streamed(shop.client, path, one["id"]) as events:
            assert some(events, min(2, len(told) - place)) == told[place : place + 2]
        with streamed(shop.client, f"{path}?cursor={one['id']}") as events:
            assert some(events, 1) == told[place : place + 1]
    with streamed(shop.client, f"{path}?cursor={told[0]['id']}", told[1]["id"]) as events:
        assert some(events, 1) == told[2:3]  # an EventSource comes back to the address that it had


def test_events_have_the_attributes_of_their_effects_and_ids_of_their_own(shop: AtWork) -> None:
    decisions, changes, moved = (everything(shop, path) for path in PATHS)
    ids = [one["id"] for one in decisions + changes + moved]
    assert len(set(ids)) == len(ids) == 20
    for one in moved:
        data = one["data"]
        assert one["id"] == f"{data['partition']}-{data['seq']}"
        assert (one["type"], one["subject"]) == (f"tintype.tag-change.{data['change']}", data["customer"])
        assert one["time"] == "2026-03-01T09:30:00Z"
    assert sorted(one["data"]["seq"] for one in decisions + moved) == list(range(8))  # without a gap
    for one in decisions:
        data = one["data"]
        assert one["id"] == f"{data['partition']}-{data['seq']}"
        assert (one["type"], one["subject"]) == ("tintype.decision.act", data["customer"])
        assert (one["specversion"], one["source"]) == ("1.0", "/tintype/Test")
        assert one["time"] == "2026-03-01T09:30:00Z"
        of_it = [change for change in changes if change["data"]["decision"] == data["id"]]
        assert [change["id"] for change in of_it] == [f"{one['id']}-{n}" for n in (1, 2, 3)]
        assert [change["type"] for change in of_it] == [
            "tintype.delivery.queued", "tintype.delivery.claimed", "tintype.delivery.sent",
        ]  # fmt: skip
        assert [change["data"]["attempt"] for change in of_it] == [0, 1, 1]
        assert [change["data"]["provider"] for change in of_it] == ["", "sms/console", "sms/console"]
    assert "138" not in str([{**one["data"], "customer": "", "decision": ""} for one in changes])


def test_two_readers_are_told_soon_after_a_commit(shop: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are woken: nobody looks of themselves within the test's time."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 600.0)
    last = shop.get("/v1/decisions")["next"]
    path = f"/v1/decisions?cursor={last}"
    with streamed(shop.client, path) as one, streamed(shop.client, path) as two:
        wait_for(lambda: len(shop.app.state.streams.bell._waiting) == 2)
        shop.send("orders", order("B1", "M1"), order("B2", "M2"))
        found = some(one, 2)
        assert found == some(two, 2)
    assert [each["data"]["data"]["cause"]["source"] for each in found] == ["orders", "orders"]
    wait_for(lambda: states(shop)[-1] == "sent")


def test_a_silent_stream_is_kept_alive(shop: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)
    with streamed(shop.client, "/v1/decisions", shop.get("/v1/decisions")["next"]) as events:
        assert [next(events) for _ in range(3)] == [{"comment": "nothing new"}] * 3


def test_a_reader_that_stalls_holds_nothing_but_its_connection(
    shop: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read no further ahead than its connection takes, and others read everything meanwhile."""
    count = 600
    made = [
        Decision(f"{n:032x}", 0, 1, 29_540_000, "a" * 32, "t", "v", "refused", "late", "live", {"minute": 1},
                 {}, {"long": "x" * 40_000}, n) for n in range(count)
    ]  # fmt: skip
    asked: list[str | None] = []

    def decisions(cursor: str | None, limit: int, customer: bytes | None) -> tuple[list[Concluded], str]:
        asked.append(cursor)
        first = int(cursor or 0)
        found = [Concluded(made[n], str(n + 1), None) for n in range(first, min(first + limit, count))]
        return found, str(first + len(found))

    monkeypatch.setattr(shop.answering.effects, "decisions", decisions)
    host, port = shop.address.removeprefix("http://").split(":")
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect((host, int(port)))
        headers = {"Host": "x", "Authorization": shop.client.headers["Authorization"], **STREAM}
        lines = ["GET /v1/decisions HTTP/1.1", *(f"{name}: {told}" for name, told in headers.items())]
        stalled.sendall("\r\n".join([*lines, "", ""]).encode())
        wait_for(lambda: asked)
        with streamed(shop.client, "/v1/decisions") as events:
            assert len(some(events, count)) == count
        assert asked.count(None) == 2
        assert asked.count("500") == 1  # the other's


@pytest.mark.parametrize(
    ("headers", "path", "told"),
    [
        ({"Authorization": ""}, "/v1/decisions", (401, "key-missing")),
        ({"Last-Event-ID": "x"}, "/v1/decisions", (422, "invalid-request")),
        ({"Last-Event-ID": "1.2"}, "/v1/decisions", (422, "invalid-request")),
        ({"Last-Event-ID": "99999"}, "/v1/decisions", (410, "cursor-gone")),
        ({"Last-Event-ID": "99999"}, "/v1/delivery-changes", (410, "cursor-gone")),
        ({}, "/v1/decisions?customer=member:M99", (404, "unknown-customer")),
        ({"Last-Event-ID": "99999"}, "/v1/tag-changes", (410, "cursor-gone")),
    ],
)  # fmt: skip
def test_what_cannot_be_streamed_is_a_problem(
    shop: AtWork, headers: dict[str, str], path: str, told: tuple[int, str]
) -> None:
    answer = shop.client.get(path, headers={**STREAM, **headers})
    assert (answer.status_code, answer.json()["code"]) == told


def test_a_stream_is_for_those_who_may_read(shop: AtWork) -> None:
    for path in PATHS:
        answer = httpx.get(shop.address + path, headers={**STREAM, **bearing(shop, "write")})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


def test_a_stream_ends_when_its_key_is_revoked(shop: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)
    headers = bearing(shop, "read")
    key = shop.answering.keyring.list()[-1]
    with (
        httpx.Client(base_url=shop.address, headers=headers, timeout=20) as client,
        streamed(client, "/v1/decisions", shop.get("/v1/decisions")["next"]) as events,
    ):
        next(events)
        shop.answering.keyring.revoke(key.id)
        assert all("comment" in one for one in events)  # to a clean end


def test_streams_are_bounded_and_let_go(shop: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "MOST", 1)
    held = shop.app.state.streams.bell
    wait_for(lambda: not held._waiting)
    with streamed(shop.client, "/v1/decisions") as events:
        some(events, 1)
        answer = shop.client.get("/v1/delivery-changes", headers=STREAM)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert answer.headers["Retry-After"]
    wait_for(lambda: not held._waiting and not held._is_listening)


def test_what_is_not_kept_any_more_is_told(shop: AtWork) -> None:
    shop.opened.ledger.connection.execute("DELETE FROM delivery_change WHERE number <= 3")
    with streamed(shop.client, "/v1/delivery-changes") as events:
        assert some(events, 1)[0]["id"] == "4"  # whoever has no cursor begins with the oldest that is kept
    with streamed(shop.client, "/v1/delivery-changes", "3") as events:
        assert some(events, 1)[0]["id"] == "4"
    for accept in ("text/event-stream", BATCH, "*/*"):
        answer = shop.client.get("/v1/delivery-changes?cursor=2", headers={"Accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (410, "cursor-gone")


def test_streams_end_cleanly_when_the_server_stops(shop: AtWork) -> None:
    app = build_app(shop.answering)
    ended: list[str] = []
    with contextlib.closing(listen("127.0.0.1", 0)) as listening, served(Server(app, listening)) as address:
        client = httpx.Client(base_url=address, headers=shop.client.headers, timeout=20)

        def read() -> None:
            with client, streamed(client, "/v1/decisions") as events:
                list(events)  # an end in the middle of an answer is an error of httpx
                ended.append("cleanly")

        reader = threading.Thread(target=read)
        reader.start()
        wait_for(lambda: app.state.streams.bell._waiting)
    reader.join(20)
    assert ended == ["cleanly"]
