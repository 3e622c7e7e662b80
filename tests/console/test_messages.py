"""A customer's inbox over HTTP: listed, marked, streamed, by keys and by the customer's own token."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from console import inbox_stream, news
from console.api.messages import Messages
from console.server import build_app
from console.tokens import Bearer, Over, Tokens
from streams.errors import InputError
from tests.console.at_work import AtWork, at_work, order, states, wait_for
from tests.console.inbox_at_work import bearing, customer_of, inboxes_of, of_token, put, streamed

PATH = "/v1/profiles/member:M1/messages"


@pytest.fixture
def inbox(shop: AtWork) -> AtWork:
    for member in ("M1", "M2"):
        inboxes_of(shop).erase(customer_of(shop, f"member:{member}"))
    return shop


def numbers(answer: dict[str, Any]) -> list[int]:
    return [int(one["id"], 16) for one in answer["messages"]]


def test_an_inbox_is_listed_in_pages_newest_or_most_important_first(inbox: AtWork) -> None:
    for number in range(5):
        put(inbox, "member:M1", number, priority=9 if number == 1 else 0)
    first = inbox.get(PATH, limit=2)
    second = inbox.get(PATH, limit=3, cursor=first["next"])
    assert (numbers(first), numbers(second), second["next"]) == ([4, 3], [2, 1, 0], None)
    assert (first["unread"], second["unread"]) == (5, 5)
    assert numbers(inbox.get(PATH, order="priority")) == [1, 4, 3, 2, 0]


def test_a_message_says_what_it_is(inbox: AtWork) -> None:
    name = put(inbox, "member:M1", 3, link="https://shop.example/x", priority=2)
    [one] = inbox.get(PATH)["messages"]
    assert one == {
        "id": name, "title": "谢谢", "text": "第 3 条", "link": "https://shop.example/x", "trigger": "hello",
        "priority": 2, "created": "2026-03-01T09:30:03Z", "expires": "2036-02-27T09:30:03Z", "read": None,
    }  # fmt: skip


@pytest.mark.parametrize("scope", ["read", None])
def test_an_inbox_is_written_as_its_model_would_write_it(inbox: AtWork, scope: str | None) -> None:
    names = [put(inbox, "member:M1", number, after=0.123 * number) for number in range(3)]
    inbox.client.post(f"{PATH}/{names[1]}:read")
    headers = None if scope is None else bearing(inbox, scope)
    for query in ("", "?limit=2"):  # without a query nothing is checked before the endpoint is called
        answer = inbox.client.get(PATH + query, headers=headers)
        model = Messages.model_validate_json(answer.content)
        assert answer.json() == model.model_dump(mode="json", exclude_defaults=True)
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.json()["messages"]) == (2 if query else 3)


def test_marks_are_kept_and_counted(inbox: AtWork) -> None:
    names = [put(inbox, "member:M1", number) for number in range(3)]
    told = [inbox.client.post(f"{PATH}/{names[0]}:read").json() for _ in range(2)]
    assert [(one["marked"], one["unread"]) for one in told] == [(1, 2), (0, 2)]
    assert inbox.client.post(f"{PATH}/{names[1]}:dismiss").json()["unread"] == 1
    assert numbers(inbox.get(PATH)) == [2, 0]
    assert [one["read"] is None for one in inbox.get(PATH)["messages"]] == [True, False]
    assert inbox.client.post(f"{PATH}:read").json()["marked"] == 1
    assert inbox.get(PATH)["unread"] == 0


@pytest.mark.parametrize("act", ["read", "dismiss"])
def test_a_message_that_is_not_there_is_a_problem(inbox: AtWork, act: str) -> None:
    answer = inbox.client.post(f"{PATH}/{'f' * 32}:{act}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-message")


def test_what_is_over_is_neither_listed_nor_counted(inbox: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    put(inbox, "member:M1", 1)
    monkeypatch.setattr(inbox.answering, "now", lambda: inbox.clock[0] + 10 * 366 * 86_400)
    assert (inbox.get(PATH)["messages"], inbox.get(PATH)["unread"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?limit=0", {}, 422, "invalid-request"),
        ("?limit=101", {}, 422, "invalid-request"),
        ("?order=oldest", {}, 422, "invalid-request"),
        ("?cursor=x", {}, 422, "invalid-request"),
        ("/stream", {"Last-Event-ID": "x"}, 422, "invalid-request"),
        ("/stream", {"Last-Event-ID": "9" * 19}, 422, "invalid-request"),
        ("", {"Authorization": ""}, 401, "key-missing"),
        ("/stream", {"Authorization": ""}, 401, "key-missing"),
        ("", {"Authorization": "Bearer tti_"}, 401, "key-unknown"),
        ("", {"Authorization": "Bearer tti_" + "A" * 54}, 401, "key-unknown"),
        ("", {"Authorization": "Bearer tti_鞋".encode()}, 401, "key-unknown"),
    ],
)
def test_a_wrong_request_is_a_problem(
    inbox: AtWork, query: str, headers: dict[str, Any], status: int, code: str
) -> None:
    answer = inbox.client.get(PATH + query, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_nobodys_inbox_is_a_problem(inbox: AtWork) -> None:
    for name in ("member:nobody", "me"):
        answer = inbox.client.get(f"/v1/profiles/{name}/messages")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-customer")


def test_a_reference_with_a_slash_leads_to_its_inbox(inbox: AtWork) -> None:
    assert inbox.get("/v1/profiles/member:会员%2F三 号/messages")["unread"] == 0


def test_each_scope_may_do_its_own_part(inbox: AtWork) -> None:
    name = put(inbox, "member:M1", 1)
    calls = {
        "list": ("GET", PATH), "mark": ("POST", f"{PATH}/{name}:read"),
        "dismiss": ("POST", f"{PATH}/{name}:dismiss"),
        "all": ("POST", f"{PATH}:read"), "token": ("POST", f"{PATH}:token"),
    }  # fmt: skip
    may = {}
    for scope in ("read", "write", "inbox", "personal"):
        headers = bearing(inbox, scope)
        told = {what: inbox.client.request(*call, headers=headers) for what, call in calls.items()}
        may[scope] = {what for what, answer in told.items() if answer.status_code == 200}
        assert {answer.status_code for answer in told.values()} <= {200, 403}
    marks = {"mark", "dismiss", "all"}
    assert may == {"read": {"list"}, "write": marks, "inbox": {"token"}, "personal": set()}


def test_texts_are_personal(inbox: AtWork) -> None:
    put(inbox, "member:M1", 1, link="/x")
    answer = inbox.client.get(PATH, headers=bearing(inbox, "read")).json()
    [one] = answer["messages"]
    assert (one["title"], one["text"], one["link"]) == (None, None, None)
    assert answer["withheld"] == ["title", "text", "link"]
    assert "withheld" not in inbox.get(PATH)


def test_a_token_opens_its_own_customers_inbox_and_nothing_else(inbox: AtWork) -> None:
    name = put(inbox, "member:M1", 1)
    own, other = (customer_of(inbox, f"member:{one}").hex() for one in ("M1", "M2"))
    with of_token(inbox, "member:M1") as client:
        assert client.get("/v1/profiles/me/messages").json()["messages"][0]["text"] == "第 1 条"
        assert client.get(f"/v1/profiles/{own}/messages").status_code == 200
        assert client.post(f"/v1/profiles/me/messages/{name}:read").json()["marked"] == 1
        for method, path in [
            ("GET", f"/v1/profiles/{other}/messages"), ("GET", "/v1/profiles/member:M2/messages"),
            ("GET", "/v1/profiles/member:M1/messages"), ("GET", f"/v1/profiles/{other}/messages/stream"),
            ("POST", f"/v1/profiles/{other}/messages:read"),
            ("POST", f"/v1/profiles/{other}/messages/{name}:dismiss"),
        ]:  # fmt: skip
            assert client.request(method, path).json()["code"] == "scope-missing", path
        for method, path in [
            ("GET", "/v1/profiles/member:M1"), ("GET", f"/v1/profiles/{own}"), ("GET", "/v1/tags"),
            ("GET", "/metrics"), ("POST", "/v1/profiles/me/messages:token"), ("GET", "/v1/decisions"),
            ("POST", f"/v1/customers/{own}:erase"), ("POST", f"/v1/customers/{own}:export"),
        ]:  # fmt: skip
            assert client.request(method, path).json()["code"] == "key-unknown", path


def test_a_token_ends(inbox: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    with of_token(inbox, "member:M1", seconds=60) as client:
        monkeypatch.setattr(inbox.answering, "now", lambda: inbox.clock[0] + 59)
        assert client.get("/v1/profiles/me/messages").status_code == 200
        monkeypatch.setattr(inbox.answering, "now", lambda: inbox.clock[0] + 60)
        answer = client.get("/v1/profiles/me/messages")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-over")


def test_a_token_cannot_be_altered(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, "tea", {})
    made = tokens.make(Bearer(bytes(16), 2000))
    assert tokens.read(made, 1999) == Bearer(bytes(16), 2000)
    with pytest.raises(Over):
        tokens.read(made, 2000)
    for at in range(4, len(made) - 1):
        altered = made[:at] + ("A" if made[at] != "A" else "B") + made[at + 1 :]
        with pytest.raises(Exception, match="no token of an inbox"):
            tokens.read(altered, 0)
    for other in (Tokens(tmp_path, "coffee", {}), Tokens(tmp_path / "x", "tea", {}),
                  Tokens(tmp_path, "tea", {"TINTYPE_INBOX_SECRET": "x" * 32})):  # fmt: skip
        with pytest.raises(Exception, match="no token of an inbox"):
            other.read(made, 0)


def test_the_secret_is_its_owners_and_the_same_for_all_processes(tmp_path: Path) -> None:
    made = Tokens(tmp_path / "new", "tea", {}).make(Bearer(bytes(16), 9))
    path = tmp_path / "new" / "inbox.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["inbox.key"]
    assert Tokens(tmp_path / "new", "tea", {}).read(made, 0).customer == bytes(16)
    path.unlink()  # every token is over
    with pytest.raises(Exception, match="no token"):
        Tokens(tmp_path / "new", "tea", {}).read(made, 0)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too short"):
        Tokens(tmp_path, "tea", {"TINTYPE_INBOX_SECRET": "x" * 31}).make(Bearer(bytes(16), 9))


def test_a_stream_tells_of_changes_as_they_happen(inbox: AtWork) -> None:
    put(inbox, "member:M1", 1)
    with streamed(inbox.client, f"{PATH}/stream") as events:
        first = next(events)
        assert (first["event"], first["data"]) == ("inbox", {"messages": [], "unread": 1})
        name = put(inbox, "member:M1", 2)
        put(inbox, "member:M2", 7)  # somebody else's
        second = next(one for one in events if "data" in one)
        assert second["data"]["unread"] == 2
        assert [(one["id"], one["text"]) for one in second["data"]["messages"]] == [(name, "第 2 条")]
        inbox.client.post(f"{PATH}/{name}:dismiss")
        third = next(one for one in events if "data" in one)
        assert third["data"] == {"messages": [{"id": name, "dismissed": True}], "unread": 1}
        assert int(first["id"]) < int(second["id"]) < int(third["id"])


def test_a_stream_resumes_with_exactly_what_was_missed(inbox: AtWork) -> None:
    put(inbox, "member:M1", 1)
    change = inbox.get(PATH)["change"]
    for number in (2, 3):
        put(inbox, "member:M1", number)
    inbox.client.post(f"{PATH}/{1:032x}:dismiss")
    with streamed(inbox.client, f"{PATH}/stream", change) as events:
        missed = next(events)
    told = {int(one["id"], 16): one.get("dismissed", False) for one in missed["data"]["messages"]}
    assert told == {1: True, 2: False, 3: False}
    with streamed(inbox.client, f"{PATH}/stream", missed["id"]) as events:
        assert next(events)["data"]["messages"] == []


def test_a_stream_says_when_the_store_has_lost_what_was_told(inbox: AtWork) -> None:
    put(inbox, "member:M1", 1)
    change = inbox.get(PATH)["change"]
    inboxes_of(inbox).erase(customer_of(inbox, "member:M1"))
    with streamed(inbox.client, f"{PATH}/stream", change) as events:
        assert next(events)["event"] == "reset"


def test_a_stream_shows_texts_to_those_who_may_see_them(inbox: AtWork) -> None:
    put(inbox, "member:M1", 1)
    with (
        httpx.Client(base_url=inbox.address, headers=bearing(inbox, "read"), timeout=20) as client,
        streamed(client, f"{PATH}/stream", "1") as events,
    ):
        assert [one["text"] for one in next(events)["data"]["messages"]] == [None]
    with of_token(inbox, "member:M1") as client, streamed(
        client, "/v1/profiles/me/messages/stream", "1"
    ) as events:
        assert [one["text"] for one in next(events)["data"]["messages"]] == ["第 1 条"]


def test_a_silent_stream_is_kept_alive(inbox: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_stream, "KEEP_ALIVE_SECONDS", 0.05)
    with streamed(inbox.client, f"{PATH}/stream") as events:
        found = [next(events) for _ in range(3)]
    assert [one.get("comment") for one in found][1:] == ["nothing new", "nothing new"]


def test_a_stream_ends_with_its_token(inbox: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_stream, "KEEP_ALIVE_SECONDS", 0.05)
    later = [0]
    monkeypatch.setattr(inbox.answering, "now", lambda: inbox.clock[0] + later[-1])
    with of_token(inbox, "member:M1", seconds=60) as client, streamed(
        client, "/v1/profiles/me/messages/stream"
    ) as events:
        next(events)
        later.append(60)
        assert all("comment" in one for one in events)  # until the end


def test_a_stream_tells_nothing_behind_the_revocation_of_its_key(inbox: AtWork) -> None:
    headers = bearing(inbox, "read")
    key = inbox.answering.keyring.list()[-1]
    with (
        httpx.Client(base_url=inbox.address, headers=headers, timeout=20) as client,
        streamed(client, f"{PATH}/stream") as events,
    ):
        next(events)
        inbox.answering.keyring.revoke(key.id)
        put(inbox, "member:M1", 5)
        assert all("comment" in one for one in events)  # to a clean end


def test_streams_are_bounded_and_let_go(inbox: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "MOST", 1)
    told = inbox.app.state.news
    wait_for(lambda: told._count == 0)
    with streamed(inbox.client, f"{PATH}/stream") as events:
        next(events)
        answer = inbox.client.get(f"{PATH}/stream")
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    wait_for(lambda: told._count == 0 and not told._is_listening)
    with streamed(inbox.client, f"{PATH}/stream") as events:
        next(events)
        put(inbox, "member:M1", 1)
        assert next(one for one in events if "data" in one)["data"]["unread"] == 1


def test_a_stream_lives_on_when_the_store_was_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_stream, "KEEP_ALIVE_SECONDS", 0.2)
    with at_work(tmp_path / "little") as shop:
        shop.send("orders", order("A1", "M1"))
        put(shop, "member:M1", 1)
        with streamed(shop.client, f"{PATH}/stream") as events:
            next(events)
            shop.opened.server._process.kill()
            assert next(one for one in events if one.get("comment") == "the store is away")
            shop.clock[0] += 60
            shop.client.post("/v1/sources/orders", json=[order("A2", "M1")])  # this starts the store again
            wait_for(lambda: shop.client.get("/readyz").status_code == 200, 60)
            put(shop, "member:M1", 2)
            deadline = time.monotonic() + 20
            while "data" not in (one := next(events)):
                assert time.monotonic() < deadline
            assert one["data"]["unread"] == 2


def test_pages_of_named_origins_only_may_read_and_only_inboxes(
    inbox: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINTYPE_ORIGINS", "https://shop.example, https://m.shop.example")
    app = build_app(inbox.answering)
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

    async def allowed(path: str, origin: str) -> str | None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            before = await client.options(path, headers={"Origin": origin, **asked})
            after = await client.get(path, headers={"Origin": origin})
            told: set[str | None] = {
                one.headers.get("access-control-allow-origin") for one in (before, after)
            }
            assert len(told) == 1
            assert "access-control-allow-credentials" not in after.headers
            return told.pop()

    async def all_of_them() -> list[str | None]:
        inboxes, profile = "/v1/profiles/me/messages", "/v1/profiles/member:M1"
        return [
            await allowed(inboxes, "https://shop.example"),
            await allowed(f"{inboxes}/stream", "https://m.shop.example"),
            await allowed(inboxes, "https://evil.example"), await allowed(inboxes, "null"),
            await allowed(inboxes, "https://shop.example.evil"), await allowed(profile, "https://shop.example"),
        ]  # fmt: skip

    assert asyncio.run(all_of_them()) == [
        "https://shop.example", "https://m.shop.example", None, None, None, None
    ]  # fmt: skip


@pytest.mark.parametrize("said", ["*", "shop.example", "https://shop.example/", "null", "javascript:x"])
def test_what_is_no_origin_is_refused(
    inbox: AtWork, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINTYPE_ORIGINS", said)
    with pytest.raises(InputError, match="is no origin"):
        build_app(inbox.answering)


def test_no_page_may_read_where_no_origin_is_named(inbox: AtWork) -> None:
    answer = inbox.client.get(PATH, headers={"Origin": "https://shop.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_what_a_trigger_decides_comes_into_the_inbox(tmp_path: Path) -> None:
    channels = "sms:\n  templates: {hi: 'spent {{ fen }}'}\n  providers: [{kind: inbox}]\n"
    with at_work(tmp_path / "little", {"channels.yaml": channels}) as shop:
        shop.send("orders", order("A1", "M1", "60.00"))
        wait_for(lambda: states(shop) == ["sent"])
        decision = shop.get("/v1/decisions")["decisions"][0]
        [one] = shop.get(PATH)["messages"]
        assert (one["id"], one["text"], one["trigger"]) == (decision["id"], "spent 6000", "hello")
        identity = customer_of(shop, "member:M1")
        assert shop.client.post("/v1/customers/member:M1:erase").status_code == 200
        assert inboxes_of(shop).read(identity, shop.clock[0]).messages == []
        assert shop.opened.store.client.keys("*inbox*") == []
