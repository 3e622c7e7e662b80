"""Over HTTP, at work: a broadcast goes at its pace, is paused, goes on, and is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.at_work import AtWork, at_work, order, wait_for

FILES: dict[str, str | None] = {
    "triggers/hello.yaml": None,
    "triggers/spring.yaml": """\
title: 春季大促
when: {schedule: {at: "17:40", on: [2026-03-01]}}
if: spend > 0
action: {channel: sms, template: hi, values: {fen: spend}, pace: {most: 1, within: 1m}}
""",
    "channels.yaml": """\
sms:
  expires: 2m
  templates: {hi: 'you spent {{ fen }}'}
  providers: [{kind: file, path: sms.jsonl}]
""",
}
CUSTOMERS = 6


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[AtWork]:
    """A second behind the due minute: one of six messages is out."""
    with at_work(tmp_path / "little", FILES) as found:
        found.send("orders", *(order(f"A{at}", f"M{at}") for at in range(CUSTOMERS)))
        assert broadcast(found)["next"] == "2026-03-01T09:40:00Z"
        found.clock[0] += 601
        found.settle()
        wait_for(lambda: broadcast(found)["sent"] == 1)
        yield found


def broadcast(shop: AtWork) -> dict[str, Any]:
    found: dict[str, Any] = shop.get("/v1/broadcasts/spring")["broadcast"]
    return found


def turn(shop: AtWork, **to: Any) -> dict[str, Any]:
    body = {"what": broadcast(shop)["switch"], "reason": "the price", "off": False, **to}
    answer = shop.client.post("/v1/switches", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def out(shop: AtWork) -> int:
    return len((shop.opened.data / "sms.jsonl").read_text(encoding="utf-8").splitlines())


def test_a_broadcast_goes_at_its_pace_waits_while_it_is_paused_and_goes_on(shop: AtWork) -> None:
    found = broadcast(shop)
    assert (found["waiting"], found["sent"], found["stands"]) == (5, 1, "on")
    assert (found["pace"], found["last"]) == ({"most": 1, "within": "1m"}, "2026-03-01T09:45:00Z")
    assert found["next"] is None
    assert shop.get("/v1/broadcasts")["broadcasts"] == [found]
    assert turn(shop, paused=True)["paused"] == {"trigger/spring": "the price"}
    shop.clock[0] += 3600  # far longer than a message lives
    one = shop.get("/v1/deliveries", state="queued", limit=1)["deliveries"][0]
    assert (one["due"], one["reason"]) == (None, "paused: the price")
    shop.settle()
    found = broadcast(shop)
    assert (found["stands"], found["waiting"], found["last"]) == ("paused", 5, None)
    assert turn(shop)["paused"] == {}
    for sent in range(2, CUSTOMERS + 1):
        wait_for(lambda: broadcast(shop)["sent"] >= sent)  # noqa: B023 - it is called before the next one
        assert broadcast(shop)["sent"] == sent
        shop.clock[0] += 60
    assert out(shop) == CUSTOMERS
    assert broadcast(shop)["expired"] == 0


def test_a_broadcast_that_is_late_goes_on_at_its_pace(tmp_path: Path) -> None:
    lasting = (FILES["channels.yaml"] or "").replace("2m", "1d")
    with at_work(tmp_path / "little", {**FILES, "channels.yaml": lasting}) as shop:
        shop.send("orders", *(order(f"A{at}", f"M{at}") for at in range(CUSTOMERS)))
        shop.clock[0] += 1800  # twenty minutes behind the due minute
        shop.settle()
        for sent in range(1, CUSTOMERS + 1):
            wait_for(lambda: broadcast(shop)["sent"] >= sent)  # noqa: B023 - it is called before the next
            assert broadcast(shop)["sent"] == sent
            shop.clock[0] += 60


def test_a_broadcast_that_is_stopped_holds_back_all_that_waits(shop: AtWork) -> None:
    turn(shop, paused=True)
    assert turn(shop, off=True)["paused"] == {}
    wait_for(lambda: broadcast(shop)["held_back"] == 5)
    assert broadcast(shop)["stands"] == "off"
    body = {"what": "trigger/spring", "off": False, "paused": True, "reason": "x"}
    refused = shop.client.post("/v1/switches", json=body)
    assert (refused.status_code, refused.json()["hint"]) == (422, "let it go on first, then pause it")
    both = shop.client.post("/v1/switches", json={**body, "off": True})
    assert (both.status_code, both.json()["hint"]) == (422, "leave one of them out")
    assert out(shop) == 1


def test_what_is_no_broadcast_is_not_found(shop: AtWork) -> None:
    answer = shop.client.get("/v1/broadcasts/sprong")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-broadcast")
    assert answer.json()["hint"] == "did you mean 'spring'?"
    write = {"Authorization": f"Bearer {shop.keys['write']}"}
    assert shop.client.get("/v1/broadcasts", headers=write).status_code == 403
