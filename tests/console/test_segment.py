"""Calls in the shape of Segment's API: by hand, and by its real client under errors and kills."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from segment.analytics.client import Client  # type: ignore[import-untyped]  # it has no types
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.load import load_shop
from console.keys import Keyring
from console.server import Server, build_app, listen, served
from streams.cdc.change import Refused
from streams.segment import Calls, calls_of, value_at
from tests.app.little_shop import write_shop
from tests.console.at_work import FILES, NOW, AtWork, wait_for

ROOT = Path(__file__).resolve().parents[2]
WHEN = NOW - dt.timedelta(minutes=5)


def viewed(**more: Any) -> dict[str, Any]:
    call = {
        "userId": "M1",
        "event": "Product Viewed",
        "messageId": "m1",
        "timestamp": "2026-03-01T09:00:00.000Z",
    }
    return {**call, "properties": {"category": "鞋", "price": 399.00}, **more}


def clicks(shop: AtWork, reference: str = "member:M1") -> int:
    shop.settle()
    return int(shop.get(f"/v1/profiles/{reference}")["profile"]["metrics"]["clicks_1d"])


def test_a_call_becomes_a_row_of_the_source_that_takes_it(fresh: AtWork) -> None:
    answer = fresh.client.post("/v1/track", json=viewed())
    assert (answer.status_code, answer.json()["success"], answer.json()["accepted"]) == (200, True, 1)
    assert clicks(fresh) == 1
    traits = {"city": "上海", "birthday": "1990-05-01"}
    call = {"userId": "M1", "traits": traits, "timestamp": "2026-03-01T09:00:00Z"}
    fresh.client.post("/v1/identify", json=call)
    fresh.settle()
    attributes = fresh.get("/v1/profiles/member:M1")["profile"]["attributes"]
    assert attributes == {"city": "上海", "birthday": "1990-05-01"}


def test_a_device_is_claimed_by_the_member_seen_with_it(fresh: AtWork) -> None:
    fresh.client.post("/v1/track", json=viewed(userId=None, anonymousId="d1", messageId="m0"))
    assert clicks(fresh, "device:d1") == 1
    fresh.client.post("/v1/track", json=viewed(anonymousId="d1"))
    assert clicks(fresh, "member:M1") == clicks(fresh, "device:d1") == 2


def test_the_key_may_stand_where_trackers_put_it(fresh: AtWork) -> None:
    key = fresh.keys["write"]
    basic = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    url = f"{fresh.address}/v1/track"
    assert httpx.post(url, json=viewed(), headers=basic).status_code == 200
    assert httpx.post(url, json=viewed(writeKey=key)).status_code == 200


def test_a_batch_shares_its_context_and_may_come_by_the_old_path(fresh: AtWork) -> None:
    body = {
        "context": {"ip": "1.2.3.4"},
        "batch": [{"type": "track", **viewed(messageId=f"m{n}")} for n in range(3)],
    }
    for path in ("batch", "import"):
        assert fresh.client.post(f"/v1/{path}", json=body).json()["accepted"] == 3
    assert clicks(fresh) == 3


BAD: list[tuple[str, dict[str, Any] | list[Any] | str, str]] = [
    ("no type", {**viewed()}, "is no type of a call"),
    ("an unknown type", {"type": "click", **viewed()}, "'click' is no type"),
    ("no event", {"type": "track", "userId": "M1"}, "needs 'event'"),
    ("an event nobody takes", {"type": "track", **viewed(event="Nothing")}, "no source takes track calls"),
    ("a type nobody takes", {"type": "page", "userId": "M1"}, "no source takes page calls"),
    ("nobody's", {"type": "track", **viewed(userId=None)}, "names no customer"),
    ("a wrong price", {"type": "track", **viewed(properties={"price": "dear"})}, "price"),
    ("an old time", {"type": "track", **viewed(timestamp="long ago")}, "timestamp"),
    ("no object", ["x"], "no JSON object"),
    ("a text", "x", "no JSON object"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "problem"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_a_call_that_cannot_be_taken_is_put_aside_and_the_others_are_taken(
    shop: AtWork, call: Any, problem: str
) -> None:
    good = {"type": "track", **viewed(userId="M9", messageId="good")}
    answer = shop.client.post("/v1/batch", json={"batch": [call, good]}).json()
    assert (answer["success"], answer["accepted"]) == (True, 1)
    [one] = answer["rejected"]
    assert one["place"].endswith("/1")
    assert problem in one["problem"]
    assert one["hint"]


def test_calls_that_nobody_takes_are_named_in_the_metrics(fresh: AtWork) -> None:
    for number in range(3):
        fresh.client.post("/v1/track", json=viewed(event="加入收藏", messageId=f"m{number}"))
    told = fresh.client.get("/metrics").text
    assert 'tintype_segment_untaken_total{call="track",name="加入收藏"} 3.0' in told
    assert 'tintype_dead_letters{source="@segment",state="waiting"} 3.0' in told


def test_names_of_calls_cannot_flood_the_metrics(fresh: AtWork) -> None:
    batch = [{"type": "track", **viewed(event=f"e{number}", messageId=str(number))} for number in range(150)]
    fresh.client.post("/v1/batch", json={"batch": batch})
    told = fresh.client.get("/metrics").text
    assert told.count("tintype_segment_untaken_total{") == 101
    assert 'tintype_segment_untaken_total{call="(other)",name="(other)"} 50.0' in told


def test_what_the_api_fills_in() -> None:
    """A time for calls without one; a messageId made of the content where that tells calls apart."""

    def call(body: dict[str, Any]) -> dict[str, Any]:
        [(found, _, _)] = calls_of(json.dumps(body).encode(), "track", "NOW", lambda: "NEW")
        made: dict[str, Any] = json.loads(found)
        return made

    assert call({"event": "x"}) == {"event": "x", "type": "track", "timestamp": "NOW", "messageId": "NEW"}
    timed = {"event": "x", "timestamp": "2026-03-01T09:00:00Z"}
    first, second = call({**timed, "sentAt": "a"}), call({**timed, "sentAt": "b"})
    assert first["messageId"] == second["messageId"] not in ("NEW", "")
    assert call({**timed, "event": "y"})["messageId"] != first["messageId"]
    assert call({"event": "x", "originalTimestamp": "O", "timestamp": ""})["timestamp"] == "O"


def test_digits_of_a_price_are_kept() -> None:
    [(found, _, _)] = calls_of(b'{"properties": {"price": 19.90}}', "track", "NOW", lambda: "NEW")
    assert b"19.90" in found


@pytest.mark.parametrize(
    ("path", "value"),
    [("userId", "M1"), ("properties.price", "1"), ("properties", {"price": "1", "a.b": "2"}), ("a.b", "3"),
     ("properties.a.b", "2"), ("properties.none", None), ("userId.x", None), ("none", None)],
)  # fmt: skip
def test_columns_are_named_by_dotted_paths(path: str, value: object) -> None:
    call = {"userId": "M1", "properties": {"price": "1", "a.b": "2"}, "a.b": "3"}
    assert value_at(call, path) == value


def test_a_call_may_be_taken_by_two_sources(tmp_path: Path) -> None:
    every = FILES["sources/clicks.yaml"] or ""
    every = every.replace(", events: [Product Viewed, 浏览商品]", "")
    shop = load_shop(write_shop(tmp_path, {**FILES, "sources/everything.yaml": every}))
    calls = Calls({name: source.model_copy(update={"name": name}) for name, source in shop.sources.items()})
    value = json.dumps({"type": "track", **viewed()}).encode()
    assert [row.source for row in calls.rows(value)] == ["clicks", "everything"]
    assert [row.source for row in calls.rows(value.replace(b"Product Viewed", b"Other"))] == ["everything"]
    with pytest.raises(Refused):
        calls.rows(None)


@contextmanager
def tracker(address: str, key: str, **more: Any) -> Iterator[Client]:
    """Yield Segment's own client; what it sent is delivered at the end."""
    failed: list[Exception] = []
    client = Client(key, host=address, on_error=lambda error, _: failed.append(error), upload_interval=0.05,
                    max_retries=20, timeout=20, **more)  # fmt: skip
    try:
        yield client
        client.flush()
    finally:
        client.join()
    assert failed == []


def track(client: Client, first: int, last: int) -> None:
    for number in range(first, last):
        client.track("M1", "Product Viewed", {"category": "鞋", "price": 9.90}, timestamp=WHEN,
                     message_id=f"call-{number}")  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_the_real_client_is_understood(fresh: AtWork, packed: bool) -> None:
    with tracker(fresh.address, fresh.keys["write"], gzip=packed) as client:
        track(client, 0, 250)
        client.identify("M1", {"city": "上海", "birthday": "1990-05-01"}, timestamp=WHEN)
    assert clicks(fresh) == 250
    assert fresh.get("/v1/profiles/member:M1")["profile"]["attributes"]["city"] == "上海"


class Failing:
    """ASGI middleware: takes a request, and then does not say so: 500, or the connection just ends."""

    def __init__(self, app: ASGIApp, answers: list[str]) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._answers:
            await self._app(scope, receive, send)
            return
        answer = self._answers.pop()

        async def swallow(_: Message) -> None:
            return

        await self._app(scope, receive, swallow)
        if answer == "cut":
            raise ConnectionAbortedError
        await send({"type": "http.response.start", "status": int(answer), "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("answers", [["500"], ["503", "500"], ["cut"], ["cut", "502", "cut"]])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_real_client_retries_and_every_call_counts_once(fresh: AtWork, answers: list[str]) -> None:
    app = build_app(fresh.answering)
    app.add_middleware(Failing, answers=answers)
    with (
        served(Server(app, listen("127.0.0.1", 0))) as address,
        tracker(address, fresh.keys["write"]) as client,
    ):
        track(client, 0, 150)
    assert answers == []
    assert clicks(fresh) == 150


@pytest.mark.slow
def test_a_process_killed_between_taking_and_answering_loses_and_doubles_nothing(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    folder = write_shop(tmp_path / "little", FILES)
    key = Keyring(folder / "data").add("tracker", ["write"])
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    now = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2)
    first = start(folder, port, tmp_path / "died")
    with tracker(f"http://127.0.0.1:{port}", key) as client:
        for number in range(120):
            client.track("M1", "Product Viewed", {"price": 9.90}, timestamp=now, message_id=f"call-{number}")
        assert first.wait(60) == 137
        start(folder, port, tmp_path / "died")
    wait_for(lambda: _clicks(folder, port) == 120, 60)


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `dying_server` and wait until it takes requests; all end with the test."""
    running: list[subprocess.Popen[str]] = []

    def begin(folder: Path, port: int, mark: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.console.dying_server", str(folder), str(port), str(mark)]
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, text=True))
        wait_for(lambda: _is_ready(port), 60)
        return running[-1]

    yield begin
    for process in running:
        process.terminate()
        process.wait(30)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _clicks(folder: Path, port: int) -> int:
    key = Keyring(folder / "data").add("reader", ["read"])
    url = f"http://127.0.0.1:{port}/v1/profiles/member:M1"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"})
    return int(answer.json()["profile"]["metrics"]["clicks_1d"]) if answer.status_code == 200 else 0
