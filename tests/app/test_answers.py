"""Who unsubscribes has withdrawn consent to marketing by that channel: a record of the log."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.sending.answers import note_answer, unsubscribe
from sinks.channels.channel import Channel
from sinks.channels.provider import Receipt
from streams.live import append_changes
from streams.log.rows import read_control
from tests.called import id_of
from tests.streams.small_shop import new_log, shop

T = 29539320  # 2026-03-01 10:00
ROW = {"id": "B1", "member": 1, "at": "2026-03-01 10:00", "amount": 2.5, "status": "paid"}
STOP = Receipt(None, "unsubscribed", address="1", text="TD")
SHOP: Any = SimpleNamespace(channels={"sms": Channel(address="member"), "any": Channel()})


@pytest.mark.parametrize(
    ("channel", "customer", "receipt", "known"),
    [
        ("sms", id_of("member:1"), Receipt("r1", "unsubscribed"), True),
        ("sms", None, STOP, True),
        ("sms", None, Receipt(None, "unsubscribed", address="99"), False),
        ("any", None, STOP, False),
    ],
)
def test_consent_is_withdrawn_of_whoever_is_known_by_message_or_address(
    tmp_path: Path, channel: str, customer: str | None, receipt: Receipt, known: bool
) -> None:
    with new_log(tmp_path) as log:
        append_changes(log, shop(), "orders", [ROW], T)
        assert unsubscribe(log, SHOP, T, channel, receipt, customer) is known
        control = read_control(log)
    found = control[control["kind"] == "consent"]
    assert found["customer"].tolist() == ([id_of("member:1")] if known else [])
    wanted = {"channel": "sms", "purpose": "marketing", "granted": False, "until": None}
    assert [json.loads(body) for body in found["body"]] == ([wanted] if known else [])


def test_a_reply_changes_nothing() -> None:
    asked: list[Any] = []
    service: Any = SimpleNamespace(change=asked.append)
    note_answer(service, "sms", Receipt(None, "replied", address="1", text="thanks"), None)
    assert asked == []
    note_answer(service, "sms", STOP, None)
    assert len(asked) == 1
