"""Over HTTP, at work: a broadcast goes at its pace, is paused, goes on, and is stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from streams.control import Control, canonical
from streams.live import append_controls
from tests.console.at_work import FILES as SHOP
from tests.console.at_work import AtWork, at_work, order, wait_for
from tests.console.inbox_at_work import customer_of

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


COUNTED: dict[str, str | None] = {
    **FILES,
    "triggers/spring.yaml": """\
title: 春季大促
status: shadow
when: {schedule: {at: "20:00", on: [2026-12-01]}}
if: spend > 500
guards: {consent: sms/marketing, hold_out: 30}
action: {channel: sms, template: hi, values: {fen: spend}}
""",
    "triggers/night.yaml": """\
when: {schedule: {at: "20:00", on: [2026-12-01]}}
if: spend > 500
guards: {quiet_hours: {from: "17:00", until: "18:00"}, hold_out: 30}
action: {channel: sms, template: hi, values: {fen: spend}}
""",
    "triggers/draft.yaml": "status: draft\nwhen: {schedule: {at: '20:00', on: [2026-12-01]}}\n"
                           "action: {channel: sms, template: hi, values: {fen: spend}}\n",
}  # fmt: skip


def test_it_is_counted_whom_a_broadcast_would_reach_and_whom_each_guard_spares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same figures as the command's, which replays the log."""
    with at_work(tmp_path / "little", COUNTED) as shop:
        shop.send("orders", *(order(f"A{at}", f"M{at}", f"{at}.00") for at in range(1, 41)))
        granted = canonical({"channel": "sms", "purpose": "marketing", "granted": True, "until": None})
        agree = [
            Control("consent", customer_of(shop, f"member:M{at}"), granted) for at in range(1, 41) if at % 3
        ]
        shop.opened.service.change(lambda log, _, minute: append_controls(log, agree, minute)).result(60)
        shop.settle()
        before = shop.get("/v1/decisions")
        read = {"Authorization": f"Bearer {shop.keys['read']}"}
        for name, kinds in (("spring", {"consent", "hold_out"}), ("night", {"hold_out"})):
            answer = shop.client.post(f"/v1/broadcasts/{name}:count", headers=read)
            assert answer.status_code == 200, answer.text
            found = answer.json()["reach"]
            assert (found["name"], found["at"]) == (name, "2026-03-01T09:31:00Z")
            assert found["audience"] == found["act"] + found["held"] + sum(found["refused"].values()) == 35
            assert set(found["refused"]) == kinds
            assert (found["held"] > 5, found["act"] > 5) == ((name == "night"), (name == "spring"))
            arguments = ["broadcast", str(shop.opened.data.parent), "count", name, "--at", "2026-03-01 17:31"]
            assert main([*arguments, "--json"]) == 0
            told = json.loads(capsys.readouterr().out)
            assert told["audience"] == 35
            held = {"held": found["held"]} if found["held"] else {}
            act = {"act": found["act"]} if found["act"] else {}
            assert told["outcomes"] == {**act, **held, "refused": sum(found["refused"].values())}
            quiet = {"quiet_hours": found["held"]} if held else {}
            assert told["guards"] == {**found["refused"], **quiet}
        assert answer.json()["as_of"] == before["as_of"]
        assert shop.get("/v1/decisions") == {**before, "lag_ms": 0}  # nothing is kept of it
        draft = shop.client.post("/v1/broadcasts/draft:count")
        assert (draft.status_code, draft.json()["code"]) == (422, "invalid-request")
        assert "has the status 'draft'" in draft.text
        nobody = shop.client.post("/v1/broadcasts/sprong:count")
        assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown-broadcast")


def test_what_is_no_broadcast_is_not_found(shop: AtWork) -> None:
    answer = shop.client.get("/v1/broadcasts/sprong")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-broadcast")
    assert answer.json()["hint"] == "did you mean 'spring'?"
    write = {"Authorization": f"Bearer {shop.keys['write']}"}
    assert shop.client.get("/v1/broadcasts", headers=write).status_code == 403


def test_what_was_paused_into_the_night_goes_in_the_morning(tmp_path: Path) -> None:
    """Without a pace too; what stands outside quiet hours goes at once."""
    event = "when: {event: {source: orders}}\nguards: {max_age: 365d}\n"
    action = "action: {channel: sms, template: hi, values: {fen: spend}}\n"
    night = '\n[guards.quiet_hours]\nfrom = "18:00"\nuntil = "08:00"\n'
    files: dict[str, str | None] = {
        "tintype.toml": f"{SHOP['tintype.toml']}{night}", "triggers/hello.yaml": event + action,
        "triggers/notice.yaml": f"{event}{action}purpose: transactional\n",
        "channels.yaml": (FILES["channels.yaml"] or "").replace("2m", "1d"),
    }  # fmt: skip
    with at_work(tmp_path / "little", files) as shop:
        everything = {"what": "everything", "off": False, "reason": "a test"}
        assert shop.client.post("/v1/switches", json={**everything, "paused": True}).status_code == 200
        shop.send("orders", order("A1", "M1"))  # 17:30
        shop.clock[0] += 2100.0  # 18:05
        shop.settle()
        assert shop.client.post("/v1/switches", json=everything).status_code == 200

        def states() -> dict[str, tuple[str, str]]:
            found = shop.get("/v1/deliveries")["deliveries"]
            return {one["trigger"]: (one["state"], one["reason"]) for one in found}

        wait = {"hello": ("queued", "quiet hours until 08:00"), "notice": ("sent", "")}
        wait_for(lambda: states() == wait)
        [one] = shop.get("/v1/deliveries", trigger="hello")["deliveries"]
        assert one["due"] == "2026-03-02T00:00:00Z"
        shop.clock[0] += 13 * 3600 + 55 * 60 - 1.0  # 07:59:59
        shop.settle()
        assert states() == wait
        shop.clock[0] += 1.0
        wait_for(lambda: states()["hello"] == ("sent", ""))
        assert out(shop) == 2
