"""``/v1/triggers``: where each trigger stands, as `tintype triggers` has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.cli import main
from tests.console.at_work import AtWork, at_work, order, wait_for
from tests.console.inbox_at_work import bearing

HELLO = """\
title: 你好
when: {event: {source: orders}}
action: {channel: sms, template: hi, values: {fen: spend}}
"""
FILES: dict[str, str | None] = {
    "triggers/hello.yaml": HELLO + "guards: {max_age: 365d}\nstatus: shadow\n",
    "triggers/谢谢.yaml": HELLO + "guards: {max_age: 365d, forecast: {most: 3, within: 1h}}\n",
    "triggers/old.yaml": HELLO + "status: archived\n",
    "triggers/strict.yaml": HELLO + "guards: {max_age: 365d, consent: sms/marketing}\nstatus: shadow\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("triggers") / "little", FILES) as found:
        found.send("orders", order("A1", "M1"), order("A2", "M1"), order("A3", "M2"))
        wait_for(lambda: len(found.get("/v1/decisions")["decisions"]) == 9)
        yield found


def by_name(shop: AtWork) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in shop.get("/v1/triggers")["triggers"]}


def test_each_tells_where_it_stands_what_it_did_in_shadow_and_what_can_be_done(shop: AtWork) -> None:
    found = by_name(shop)
    assert {name: one["status"] for name, one in found.items()} == {
        "hello": "shadow", "old": "archived", "strict": "shadow", "谢谢": "live",
    }  # fmt: skip
    assert len(found["hello"].pop("version")) == 12
    assert found["hello"] == {
        "name": "hello", "title": "你好", "owner": "", "status": "shadow", "since": None,
        "steps": ["live", "pause", "draft", "archive"],
        "shadow": {"since": None, "decisions": {
            "decided": 3, "act": 3, "customers": 2, "refused": {}, "held": 0, "contradicted": 0,
        }},
        "was_live": False, "forecast": None, "off": False, "reason": None,
    }  # fmt: skip
    assert found["strict"]["shadow"]["decisions"]["refused"] == {"consent": 3}
    assert (found["old"]["shadow"], found["old"]["steps"]) == (None, ["draft"])
    assert (found["谢谢"]["was_live"], found["谢谢"]["forecast"]) == (True, {"most": 3, "within": "1h"})


def test_one_is_found_by_its_name_and_is_as_in_the_list(shop: AtWork) -> None:
    for name, one in by_name(shop).items():
        assert shop.get(f"/v1/triggers/{name}")["trigger"] == one
    answer = shop.client.get("/v1/triggers/helo")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-trigger")
    assert answer.json()["hint"] == "did you mean 'hello'?"


def test_the_command_says_the_same(shop: AtWork, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["triggers", str(shop.opened.folder), "--json"]) == 0
    found = by_name(shop)
    for one in json.loads(capsys.readouterr().out)["triggers"]:
        told = found[one["name"]]
        for name in ("status", "version", "was_live", "forecast"):
            assert told[name] == one[name], name
        assert (told["reason"], told["status"]) == (one["stopped"], one["in_force"])
        if told["shadow"] is not None:
            decisions = dict(told["shadow"]["decisions"])
            decisions.pop("decided")
            assert decisions == one["shadow"]


def test_a_trigger_that_is_switched_off_says_why_at_once(shop: AtWork) -> None:
    """By a person, and by its forecast."""
    for off, reason in ((True, "wrong text"), (False, None)):
        told = {"what": "trigger/hello", "off": off, "reason": reason or "mended"}
        assert shop.client.post("/v1/switches", json=told).status_code == 200
        one = by_name(shop)["hello"]
        assert (one["off"], one["reason"]) == (off, reason)
    shop.send("orders", order("B1", "M1"))
    wait_for(lambda: by_name(shop)["谢谢"]["off"])
    assert by_name(shop)["谢谢"]["reason"] == "fired 4 times within 1h, forecast 3"
    assert shop.get("/v1/switches")["off"] == ["trigger/谢谢"]


def test_it_is_for_those_who_may_read(shop: AtWork) -> None:
    for path in ("/v1/triggers", "/v1/triggers/hello"):
        answer = httpx.get(shop.address + path, headers=bearing(shop, "write"))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
