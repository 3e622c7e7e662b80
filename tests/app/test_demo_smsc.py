"""The demo's SMSC: what comes to it by SMPP, who may send, and what it says of each text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.demo.sending import PASSWORD
from app.demo.smsc import ACCOUNT, ONE_PHONE_IN, Smsc
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused
from sinks.channels.provider import Around, Receipt
from sinks.channels.smpp.settings import SmppSettings
from sinks.channels.smpp.smpp import Smpp
from tests.sinks.provider_contract import handed

REACHED = 13_800_000_000 + (1 - 13_800_000_000) % ONE_PHONE_IN  # one more than a number that cannot be
LONG = "您等的商品到货了。" * 9


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    made = Smsc()
    yield made
    made.close()


def sent(smsc: Smsc, password: str, *texts: tuple[int, str]) -> tuple[Sequence[Outcome], list[Receipt]]:
    """Send texts to numbers; return their outcomes and receipts."""

    async def work() -> tuple[Sequence[Outcome], list[Receipt]]:
        receipts: list[Receipt] = []
        settings = SmppSettings(host="127.0.0.1", port=smsc.port, system_id=ACCOUNT, password_env=PASSWORD)
        around = Around(Path(), lambda _: None, receipts.extend, {PASSWORD: password})
        provider = Smpp(settings, around)
        await provider.open()
        messages = [Message(text, 1, f"phone:{phone}", "sms", "hello", text) for phone, text in texts]
        outcomes = await handed(provider, messages)
        async with asyncio.timeout(5):
            while smsc.unsettled:
                await asyncio.sleep(0.001)
        await provider.close()
        return outcomes, receipts

    return asyncio.run(work())


def test_texts_come_whole_with_their_phones_masked_and_their_receipts_follow(smsc: Smsc) -> None:
    outcomes, receipts = sent(smsc, smsc.password, (REACHED, LONG), (REACHED - 1, "hello"))
    parts = [one.parts for one in outcomes if isinstance(one, Accepted)]
    assert parts == [2, 1]
    texts = smsc.taken()
    assert sorted((one.text, one.counted.parts, one.delivered) for one in texts) == [
        ("hello", 1, False), (LONG, 2, True),
    ]  # fmt: skip
    phones = {f"138****{number % 10_000:04d}" for number in (REACHED, REACHED - 1)}
    assert {one.phone for one in texts} == phones
    assert sorted(one.state for one in receipts) == ["delivered", "failed"]
    assert smsc.taken() == []


def test_nobody_without_its_password_sends(smsc: Smsc) -> None:
    outcomes, _ = sent(smsc, "wrong", (REACHED, "hello"))
    (refused,) = outcomes
    assert isinstance(refused, Refused)
    assert refused.verdict == "stop"
    assert smsc.taken() == []


def test_it_listens_on_this_machine_only(smsc: Smsc) -> None:
    assert [one.getsockname()[0] for one in smsc._server.sockets] == ["127.0.0.1"]
