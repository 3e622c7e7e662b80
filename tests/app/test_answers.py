"""What customers answer: whose it is, however their number is written, and which consents it withdraws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.load import load_shop
from app.sending.addresses import customers_at
from app.sending.answers import controls_of, references_behind
from app.shop import Shop
from sinks.deliveries.answers import Answer
from streams.live import append_changes
from tests.app.little_shop import write_shop
from tests.called import id_of
from tests.sinks.dispatching import decided
from tests.streams.small_shop import new_log, shop

T = 29539320  # 2026-03-01 10:00
ONE = "ab" * 16
CHANNELS = """\
sms: {address: phone, templates: {hi: hi}}
sms_promo: {address: phone, templates: {hi: hi}}
abroad:
  address: phone
  templates: {hi: hi}
  providers: [{kind: twilio, sender: "+12025550100", country_code: "1"}]
any: {templates: {hi: hi}}
"""


def hello(channel: str, consent: str | None, purpose: str = "marketing") -> str:
    guards = f"guards: {{consent: {consent}}}\n" if consent else ""
    action = f"action: {{channel: {channel}, template: hi}}\npurpose: {purpose}\n"
    return f"when: {{event: {{source: orders}}}}\n{action}{guards}"


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    files = {
        "channels.yaml": CHANNELS, "triggers/a.yaml": hello("sms", "sms/newsletter"),
        "triggers/b.yaml": hello("sms_promo", "sms/marketing"), "triggers/c.yaml": hello("sms", None),
        "triggers/d.yaml": hello("sms", "sms/orders", "transactional"),
    }  # fmt: skip
    return load_shop(write_shop(tmp_path_factory.mktemp("answers"), files))


@pytest.mark.parametrize(
    ("channel", "withdrawn"),
    [
        ("sms", ["sms/marketing", "sms/newsletter"]),
        ("sms_promo", ["sms/marketing", "sms_promo/marketing"]),
        ("any", ["any/marketing"]),
    ],
)
def test_who_unsubscribes_withdraws_whatever_marketing_over_that_channel_asks_for(
    answering: Shop, channel: str, withdrawn: list[str]
) -> None:
    found = controls_of(answering, [Answer(1, ONE, channel, True, None)])
    said = [json.loads(one.body) for one in found]
    assert [f"{one['channel']}/{one['purpose']}" for one in said] == withdrawn
    assert {(one.kind, one.customer, one.body.count('"granted":false')) for one in found} == {
        ("consent", bytes.fromhex(ONE), 1)
    }


def test_the_log_is_told_of_the_message_that_was_answered(answering: Shop) -> None:
    made = decided(7)
    reply, stop = Answer(1, ONE, "any", False, made), Answer(2, ONE, "any", True, made)
    found = controls_of(answering, [reply, stop])
    assert [one.kind for one in found] == ["receipt", "consent", "receipt"]
    said = [json.loads(one.body) for one in found if one.kind == "receipt"]
    assert [(one["decision"], one["state"]) for one in said] == [
        (made.id, "replied"), (made.id, "unsubscribed"),
    ]  # fmt: skip


def test_a_number_without_a_countrys_code_is_of_the_providers_country_or_the_shops(answering: Shop) -> None:
    assert "phone:+8613800001001" in references_behind(answering, "sms", "13800001001")
    assert "phone:+12025550199" in references_behind(answering, "abroad", "2025550199")
    assert "phone:+8613800001001" not in references_behind(answering, "abroad", "13800001001")
    assert references_behind(answering, "any", "13800001001") == []
    assert references_behind(answering, "sms", "") == []


def test_everybody_who_is_known_by_a_spelling_is_found(tmp_path: Path, answering: Shop) -> None:
    channels = {"sms": answering.channels["sms"].model_copy(update={"address": "member"})}
    asking: Any = answering.model_copy(update={"channels": channels})
    rows = [{"id": f"B{member}", "member": member, "at": "2026-03-01 10:00", "amount": 2.5, "status": "paid"}
            for member in (8613800001001, 13800001001, 13800001002)]  # fmt: skip
    with new_log(tmp_path) as log:
        append_changes(log, shop(), "orders", rows, T)
        found = customers_at(log, asking, "sms", "+8613800001001")
        assert found == sorted([id_of("member:8613800001001"), id_of("member:13800001001")])
        assert customers_at(log, asking, "sms", "13900001001") == []
