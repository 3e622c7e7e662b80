"""Over HTTP: what became of deliveries, acts by hand, and receipts from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from sinks.channels.cloud.aliyun import reference
from sinks.channels.cloud.twilio_receipts import signature
from tests.console.at_work import AtWork, at_work, order, states, wait_for

CHANNELS = """\
sms:
  address: phone
  templates:
    hi: 'you spent {{ fen }}'
  providers:
    - {kind: console}
    - kind: aliyun
      sign_name: 小店
      receipts_token_env: SMS_RECEIPTS_TOKEN
      provider_templates: {hi: {code: SMS_1}}
    - {kind: twilio, name: abroad, sender: '+15005550006', status_callback: 'https://shop.example/v1/receipts/sms'}
plain:
  providers: [{kind: console}]
"""
FILES: dict[str, str | None] = {"channels.yaml": CHANNELS}
TOKEN = "a long random token"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("api") / "little", FILES) as found:
        rows = [order(f"A{n}", f"M{n}", "7.00", phone=f"1380000000{n}") for n in range(1, 5)]
        found.send("orders", *rows)
        wait_for(lambda: states(found) == ["sent"] * 4)
        yield found


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_RECEIPTS_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)


def one_of(shop: AtWork, member: int) -> dict[str, Any]:
    """Return the delivery of one member."""
    [found] = shop.get("/v1/deliveries", customer=f"member:M{member}")["deliveries"]
    return dict(found)


def put(shop: AtWork, member: int, state: str) -> str:
    """Let a member's delivery be in a state; return its id."""
    one = one_of(shop, member)
    change = "UPDATE delivery SET state = ? WHERE number = ?"
    shop.opened.ledger.connection.execute(change, (state, one["number"]))
    return str(one["id"])


def carried_by(shop: AtWork, member: int, provider: str, reference: str) -> str:
    """Let a member's delivery be sent by a provider; return its id."""
    delivery = put(shop, member, "sent")
    change = "UPDATE attempt SET provider = ?, reference = ?, receipt = NULL WHERE number = ?"
    shop.opened.ledger.connection.execute(change, (provider, reference, one_of(shop, member)["number"]))
    return delivery


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def key(shop: AtWork, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.answering.keyring.add('some', scopes)}"}


def test_a_consumer_sees_every_delivery_once_in_order_and_again_from_its_cursor(shop: AtWork) -> None:
    seen: list[int] = []
    cursor = "0"
    while page := shop.get("/v1/deliveries", cursor=cursor, limit=3)["deliveries"]:
        seen += [one["number"] for one in page]
        cursor = str(page[-1]["number"])
    assert len(seen) == 4
    assert seen == sorted(seen)
    assert shop.get("/v1/deliveries", cursor=cursor)["next"] == cursor
    newest = shop.get("/v1/deliveries", newest=1, limit=3)
    older = shop.get("/v1/deliveries", newest=1, limit=3, cursor=newest["next"])
    found = newest["deliveries"] + older["deliveries"]
    assert [one["number"] for one in found] == seen[::-1]


def test_filters_leave_out_what_is_not_asked_for(shop: AtWork) -> None:
    put(shop, 4, "failed")
    assert [one["state"] for one in shop.get("/v1/deliveries", state="failed")["deliveries"]] == ["failed"]
    assert len(shop.get("/v1/deliveries", trigger="hello", channel="sms")["deliveries"]) == 4
    for nothing in ({"trigger": "x"}, {"channel": "plain"}, {"since": "2026-03-02T00:00:00Z"}):
        assert shop.get("/v1/deliveries", **nothing)["deliveries"] == [], nothing
    assert len(shop.get("/v1/deliveries", since="2026-03-01T09:00:00+00:00")["deliveries"]) == 4
    customers = {one["customer"] for one in shop.get("/v1/deliveries", customer="member:M2")["deliveries"]}
    assert len(customers) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("state=snet", (422, "invalid-request")), ("since=2026-03-01T00:00", (422, "invalid-request")),
        ("cursor=4.2", (422, "invalid-request")), ("customer=member:M9", (404, "unknown-customer")),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_told(shop: AtWork, query: str, told: tuple[int, str]) -> None:
    for path in ("/v1/deliveries", "/v1/deliveries:counts"):
        if "cursor" in query and ":" in path:
            continue
        assert code_of(shop.client.get(f"{path}?{query}")) == told


def test_counts_add_up_to_the_deliveries(shop: AtWork) -> None:
    put(shop, 3, "unknown")
    put(shop, 4, "failed")
    found = shop.get("/v1/deliveries:counts", trigger="hello")["counts"]
    assert sum(one["deliveries"] for one in found) == 4
    assert {(one["day"], one["channel"], one["trigger"]) for one in found} == {
        ("2026-03-01", "sms", "hello")
    }
    assert {"unknown", "failed"} <= {one["state"] for one in found}
    assert sum(one["parts"] for one in found) == 4


def test_a_life_has_attempts_receipts_and_acts_by_hand(shop: AtWork) -> None:
    delivery = put(shop, 3, "unknown")
    body = {"state": "failed", "reason": " the customer says so "}
    settled = shop.client.post(f"/v1/deliveries/{delivery}:settle", json=body)
    assert settled.json()["delivery"]["state"] == "failed"
    found = shop.get(f"/v1/deliveries/{delivery}")
    assert found["delivery"] == settled.json()["delivery"]
    assert [one["outcome"] for one in found["attempts"]] == ["accepted"]
    act = found["by_hand"][-1]
    assert (act["act"], act["reason"]) == ("settle failed", "the customer says so")


def test_what_is_sent_again_goes_out(shop: AtWork) -> None:
    delivery = put(shop, 2, "held back")
    answer = shop.client.post(f"/v1/deliveries/{delivery}:resend", json={"reason": "the text is mended"})
    assert answer.status_code == 200, answer.text
    wait_for(lambda: shop.get(f"/v1/deliveries/{delivery}")["delivery"]["state"] == "sent")
    found = shop.get(f"/v1/deliveries/{delivery}")
    assert len(found["attempts"]) == 2
    assert found["delivery"]["due"] is None


def test_what_cannot_be_done_by_hand_is_refused_and_changes_nothing(shop: AtWork) -> None:
    delivery = put(shop, 1, "delivered")
    for act, body in (("resend", {}), ("settle", {"state": "delivered"})):
        path = f"/v1/deliveries/{delivery}:{act}"
        assert code_of(shop.client.post(path, json={**body, "reason": "x"})) == (409, "wrong-state")
        assert code_of(shop.client.post(path, json={**body, "reason": "  "})) == (422, "invalid-request")
        assert code_of(shop.client.post(path, json={**body, "reason": "x", "force": True}))[0] == 422
        elsewhere = shop.client.post(f"/v1/deliveries/none:{act}", json={**body, "reason": "x"})
        assert code_of(elsewhere) == (404, "unknown-delivery")
    assert code_of(shop.client.get("/v1/deliveries/none")) == (404, "unknown-delivery")
    assert shop.get(f"/v1/deliveries/{delivery}")["by_hand"] == []


@pytest.mark.parametrize("scope", ["read", "write", "personal"])
def test_acting_by_hand_needs_to_read_and_to_write_and_no_key_in_the_address(
    shop: AtWork, scope: str
) -> None:
    """A tracker's key may write, and stands on a customer's page."""
    delivery = put(shop, 3, "unknown")
    calls = {
        f"/v1/deliveries/{delivery}:resend": {"reason": "x"},
        f"/v1/deliveries/{delivery}:settle": {"state": "failed", "reason": "x"},
        "/v1/switches": {"what": "everything", "off": True, "reason": "x"},
    }
    with httpx.Client(base_url=shop.address) as nobody:
        for path, body in calls.items():
            assert code_of(nobody.post(path, json=body, headers=key(shop, scope))) == (403, "scope-missing")
            both = key(shop, "read", "write")["Authorization"].removeprefix("Bearer ")
            assert code_of(nobody.post(f"{path}?key={both}", json=body)) == (401, "key-missing")
    assert shop.get("/v1/switches")["off"] == []
    assert one_of(shop, 3)["state"] == "unknown"


def test_a_providers_reference_may_hold_an_address_and_is_for_those_who_may_see_one(shop: AtWork) -> None:
    delivery = carried_by(shop, 1, "sms/aliyun", "900619^0:13800000001")
    assert shop.get(f"/v1/deliveries/{delivery}")["attempts"][0]["reference"] == "900619^0:13800000001"
    with httpx.Client(base_url=shop.address, headers=key(shop, "read")) as client:
        told = client.get(f"/v1/deliveries/{delivery}")
        assert "13800000001" not in told.text
        assert told.json()["withheld"] == ["reference"]


def test_every_provider_is_shown_with_how_it_stands(shop: AtWork) -> None:
    found = {one["provider"]: one["state"] for one in shop.get("/v1/providers")["providers"]}
    assert found == dict.fromkeys(
        ("sms/console", "sms/aliyun", "sms/abroad", "plain/console"), "closed"
    )


def test_receipts_of_a_list_are_in_the_ledger_when_answered(shop: AtWork) -> None:
    delivery = carried_by(shop, 1, "sms/console", "ref/1")
    body = [
        {"reference": "ref/1", "state": "delivered", "at": "2026-03-01T09:31:00Z", "code": "DELIVRD"},
        {"reference": "nobody's", "state": "failed"},
    ]
    answer = shop.client.post("/v1/receipts/sms?provider=console", json=body)
    assert answer.json()["accepted"] == 2
    found = shop.get(f"/v1/deliveries/{delivery}")
    assert found["delivery"]["state"] == "delivered"
    [attempt] = found["attempts"]
    assert (attempt["receipt"], attempt["receipt_code"]) == ("delivered", "DELIVRD")
    assert attempt["receipt_at"] == "2026-03-01T09:31:00Z"


def test_a_list_of_receipts_needs_a_key_to_write_and_may_have_it_in_the_address(shop: AtWork) -> None:
    delivery = carried_by(shop, 1, "plain/console", "ref/2")
    body = [{"reference": "ref/2", "state": "delivered"}]
    with httpx.Client(base_url=shop.address) as nobody:
        assert code_of(nobody.post("/v1/receipts/plain", json=body)) == (401, "key-missing")
        told = nobody.post("/v1/receipts/plain", json=body, headers=key(shop, "read"))
        assert code_of(told) == (403, "scope-missing")
        assert shop.get(f"/v1/deliveries/{delivery}")["delivery"]["state"] == "sent"
        write = key(shop, "write")["Authorization"].removeprefix("Bearer ")
        assert nobody.post(f"/v1/receipts/plain?key={write}", json=body).status_code == 200
    assert shop.get(f"/v1/deliveries/{delivery}")["delivery"]["state"] == "delivered"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("[", (400, "malformed-body")), ("[" * 99 + "]" * 99, (400, "malformed-body")),
        ('{"state": "delivered"}', (422, "invalid-request")),
        ('[{"state": "delivered"}]', (422, "invalid-request")),
        ('[{"state": "replied", "text": "TD"}]', (422, "invalid-request")),
        ('[{"reference": "r", "state": "sent"}]', (422, "invalid-request")),
        ('[{"reference": "r", "state": "failed", "at": "2026-03-01 09:00"}]', (422, "invalid-request")),
        ('[{"reference": "r", "state": "failed", "cod": "1"}]', (422, "invalid-request")),
        (json.dumps([{"reference": "r", "state": "failed"}] * 1001), (422, "invalid-request")),
    ],
)  # fmt: skip
def test_a_wrong_list_of_receipts_is_told(shop: AtWork, body: str, told: tuple[int, str]) -> None:
    assert code_of(shop.client.post("/v1/receipts/plain", content=body)) == told


def test_nobody_learns_the_names_of_channels_without_a_key(shop: AtWork) -> None:
    for path in ("/v1/receipts/smss", "/v1/receipts/sms?provider=aliyum"):
        answer = httpx.post(f"{shop.address}{path}")
        assert code_of(answer) == (404, "unknown-channel")
        assert "aliyun" not in answer.text


def test_alibabas_reports_are_known_by_the_token_and_need_no_key(shop: AtWork) -> None:
    delivery = carried_by(shop, 1, "sms/aliyun", reference("900619^0", "13800000001", ""))
    report = {"phone_number": "13800000001", "send_time": "2026-03-01 17:30:00", "success": True,
              "report_time": "2026-03-01 17:30:02", "err_code": "DELIVERED", "err_msg": "用户接收成功",
              "sms_size": "1", "biz_id": "900619^0", "out_id": ""}  # fmt: skip
    with httpx.Client(base_url=shop.address) as alibaba:
        for query in ("", "?token=another", "?provider=aliyun&token="):
            assert code_of(alibaba.post(f"/v1/receipts/sms{query}", json=[report])) == (403, "not-signed")
        assert one_of(shop, 1)["state"] == "sent"
        signed = "/v1/receipts/sms?" + urlencode({"token": TOKEN})
        assert code_of(alibaba.post(signed, content="no JSON")) == (400, "malformed-body")
        answer = alibaba.post(signed, json=[report])
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    assert answer.headers["content-type"].startswith("application/json")
    found = shop.get(f"/v1/deliveries/{delivery}")
    assert found["delivery"]["state"] == "delivered"
    assert found["attempts"][0]["receipt_at"] == "2026-03-01T09:30:02Z"


def test_twilio_signs_the_address_as_it_was_called_also_behind_a_proxy(shop: AtWork) -> None:
    delivery = carried_by(shop, 2, "sms/abroad", "SM1")
    path = "/v1/receipts/sms?provider=abroad&message=%E5%B0%8F"
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    signed = signature(f"https://shop.example{path}", {name: [one] for name, one in form.items()}, TOKEN)
    proxied = {"Host": "shop.example", "X-Forwarded-Proto": "https"}
    with httpx.Client(base_url=shop.address) as twilio:
        told = twilio.post(path, data=form, headers={**proxied, "X-Twilio-Signature": "x" + signed})
        assert code_of(told) == (403, "not-signed")
        assert one_of(shop, 2)["state"] == "sent"
        answer = twilio.post(path, data=form, headers={**proxied, "X-Twilio-Signature": signed})
    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    assert shop.get(f"/v1/deliveries/{delivery}")["delivery"]["state"] == "failed"


def test_who_unsubscribes_has_withdrawn_consent_when_it_is_answered(shop: AtWork) -> None:
    reply = {"phone_number": "13800000004", "content": "TD", "send_time": "2026-03-01 17:31:00"}
    answer = httpx.post(f"{shop.address}/v1/receipts/sms?{urlencode({'token': TOKEN})}", json=[reply])
    assert answer.status_code == 200
    export = shop.client.post("/v1/customers/member:M4:export").json()["export"]
    assert '"granted": false' in json.dumps(export["records"])


def test_receipts_are_refused_while_the_providers_are_not_open(
    shop: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.opened.relays.sender, "_at_work", None)
    body = [{"reference": "r", "state": "failed"}]
    assert code_of(shop.client.post("/v1/receipts/plain", json=body)) == (503, "not-ready")
    assert shop.get("/v1/providers")["providers"] == []


def test_what_came_to_nothing_is_sent_again_by_a_filter(shop: AtWork) -> None:
    names = [put(shop, member, "expired") for member in (2, 3)]
    asked = {"state": "expired", "reason": "the line was down", "most": 1}
    for _, left in zip(names, (1, 0), strict=True):
        answer = shop.client.post("/v1/deliveries:resend", json=asked)
        assert (answer.status_code, answer.json()["resent"], answer.json()["left"]) == (200, 1, left)
    nothing = shop.client.post("/v1/deliveries:resend", json={**asked, "trigger": "x"})
    assert (nothing.status_code, nothing.json()["resent"]) == (200, 0)
    wait_for(lambda: {one_of(shop, member)["state"] for member in (2, 3)} == {"sent"})
    for name in names:
        acts = shop.get(f"/v1/deliveries/{name}")["by_hand"]
        assert (acts[-1]["act"], acts[-1]["reason"]) == ("resend", "the line was down")
    for wrong in ({"state": "unknown"}, {"most": 1001}, {"reason": " "}):
        assert shop.client.post("/v1/deliveries:resend", json={**asked, **wrong}).status_code == 422
    reading = httpx.post(f"{shop.address}/v1/deliveries:resend", json=asked, headers=key(shop, "write"))
    assert code_of(reading) == (403, "scope-missing")
