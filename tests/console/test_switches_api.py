"""Over HTTP: what is stopped or paused, by whom, and who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.at_work import AtWork, at_work, order, states, wait_for
from tests.console.test_deliveries_api import code_of, key

FILES: dict[str, str | None] = {
    "channels.yaml": "sms: {templates: {hi: 'you spent {{ fen }}'}, providers: [{kind: console}]}\n"
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("switches") / "little", FILES) as found:
        found.send("orders", order("A1", "M1"))
        wait_for(lambda: states(found) == ["sent"])
        yield found


SWITCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "see": ("GET", {}), "stop": ("POST", {"off": True}), "pause": ("POST", {"off": False, "paused": True}),
    "let go on": ("POST", {"off": False}), "stop all": ("POST", {"what": "everything", "off": True}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        (["read"], {"see"}), (["write"], set()), (["personal"], set()), (["inbox"], set()),
        (["stop"], {"see", "stop", "pause", "stop all"}),
        (["stop", "write"], {"see", "stop", "pause", "stop all"}),
        (["read", "write"], set(SWITCHES)),
    ],
)  # fmt: skip
def test_each_scope_may_turn_switches_as_far_as_it_goes(
    shop: AtWork, scopes: list[str], may: set[str]
) -> None:
    done = set()

    def begin() -> None:
        for what in ("trigger/hello", "everything"):
            let_go = {"what": what, "off": False, "reason": "x"}
            assert shop.client.post("/v1/switches", json=let_go).status_code == 200

    with httpx.Client(base_url=shop.address, headers=key(shop, *scopes)) as client:
        for name, (method, said) in SWITCHES.items():
            begin()
            body = {"what": "trigger/hello", "reason": "at night", **said} if method == "POST" else None
            answer = client.request(method, "/v1/switches", json=body)
            assert answer.status_code == 200 or code_of(answer) == (403, "scope-missing")
            done |= {name} if answer.status_code == 200 else set()
    begin()
    assert done == may


def test_who_may_stop_may_do_nothing_else(shop: AtWork) -> None:
    """Every other path of the API asks for another scope; nor does a stop become a pause."""
    [delivery] = shop.get("/v1/deliveries")["deliveries"]
    with httpx.Client(base_url=shop.address, headers=key(shop, "stop")) as client:
        paths = client.get("/openapi.json").json()["paths"]
        asked = 0
        for path, methods in paths.items():
            if path == "/v1/switches" or not any("security" in one for one in methods.values()):
                continue
            for method, said in methods.items():
                if {"inboxToken"} in [set(one) for one in said.get("security", [])]:
                    continue  # a customer's own; a key without a scope for it is told so below
                where = re.sub(r"\{\w+\}", "hello", path.replace("{channel}", "sms"))
                answer = client.request(method, where, json={})
                assert answer.status_code in (401, 403), (method, path, answer.text)
                asked += 1
        assert asked > 30
        for path in (f"/v1/deliveries/{delivery['id']}:resend", "/v1/profiles/member:M1/messages:read"):
            assert code_of(client.post(path, json={"reason": "x"})) == (403, "scope-missing")
        off = {"what": "trigger/hello", "off": True, "reason": "x"}
        assert client.post("/v1/switches", json=off).json()["off"] == ["trigger/hello"]
        weaker = client.post("/v1/switches", json={**off, "off": False, "paused": True})
        assert weaker.json()["hint"] == "let it go on first, then pause it"
        nobody = httpx.post(f"{shop.address}/v1/switches", json=off)
        assert code_of(nobody) == (401, "key-missing")
        assert nobody.json()["detail"] == "/v1/switches needs a key of scope stop"
    assert shop.client.post("/v1/switches", json={**off, "off": False}).json()["off"] == []


def test_a_channel_stands_still_from_the_answer_on_and_goes_on_again(tmp_path: Path) -> None:
    with at_work(tmp_path / "little", FILES) as shop:
        body = {"what": "channel/sms", "off": True, "reason": "complaints"}
        assert shop.client.post("/v1/switches", json=body).json()["off"] == ["channel/sms"]
        seen: list[list[str]] = []
        asked = "SELECT count(*) FROM switch"

        def in_log() -> bool:
            seen.append(shop.get("/v1/switches")["off"])
            return bool(shop.opened.ledger.rows(asked)[0][0] == 0)

        wait_for(in_log)
        seen += [shop.get("/v1/switches")["off"] for _ in range(20)]
        assert set(map(tuple, seen)) == {("channel/sms",)}
        shop.send("orders", order("B1", "M1"))
        wait_for(lambda: shop.get("/v1/decisions")["decisions"])
        assert [one["guard"] for one in shop.get("/v1/decisions")["decisions"]] == ["kill_switch"]
        assert shop.client.post("/v1/switches", json={**body, "off": False}).json()["off"] == []
        everything = {"what": "everything", "off": True, "reason": "fire"}
        assert shop.client.post("/v1/switches", json=everything).json()["off"] == ["everything"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"what": "sms", "off": True, "reason": "x"}, "write everything, channel/NAME or trigger/NAME"),
        ({"what": "channel/smss", "off": True, "reason": "x"}, "did you mean 'sms'?"),
        ({"what": "channel/sms", "off": True, "reason": " "}, "see /docs for what is expected"),
        ({"what": "channel/sms", "off": True, "reason": "x", "on": 1}, "see /docs for what is expected"),
        ({"what": "channel/sms", "reason": "x"}, "see /docs for what is expected"),
    ],
)  # fmt: skip
def test_a_switch_that_names_nothing_is_refused(shop: AtWork, body: dict[str, Any], hint: str) -> None:
    answer = shop.client.post("/v1/switches", json=body)
    assert code_of(answer) == (422, "invalid-request")
    assert answer.json()["hint"] == hint
    assert shop.get("/v1/switches")["off"] == []


def test_a_switch_is_seen_and_turned_while_the_store_is_away(tmp_path: Path) -> None:
    """It is the last thing that may fail."""
    with at_work(tmp_path / "little", FILES) as shop:
        pool = shop.opened.store.client.connection_pool
        port, pool.connection_kwargs["port"] = pool.connection_kwargs["port"], 1
        pool.disconnect()
        try:
            body = {"what": "everything", "off": True, "reason": "fire"}
            answer = shop.client.post("/v1/switches", json=body)
            assert (answer.status_code, answer.json()["off"]) == (200, ["everything"])
        finally:
            pool.connection_kwargs["port"] = port
