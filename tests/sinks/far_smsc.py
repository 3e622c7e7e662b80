"""A provider of SMPP with its SMSC on loopback, as tests steer them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome
from sinks.channels.provider import Around, Receipt
from sinks.channels.smpp.settings import SmppSettings
from sinks.channels.smpp.smpp import Smpp
from tests.sinks.loopback_smsc import LoopbackSmsc
from tests.sinks.provider_contract import MESSAGE, Loop, handed

LONG = "亲爱的会员，您的积分即将到期😀。" * 9  # 153 units: three parts
THROTTLED, QUEUE_FULL = 0x58, 0x14
CODES = {"retry": THROTTLED, "give_up": 0x0B, "stop": 0x0A}


class FarSmsc:
    """The SMSC of a test, and a provider for it."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        self.smsc = LoopbackSmsc()
        self.receipts: list[Receipt] = []
        self.environment = {"SMS_PASSWORD": "secret"}
        self.around = Around(
            folder, lambda _: None, self.receipts.extend, self.environment
        )
        self.settings = SmppSettings(
            host="127.0.0.1", port=self.smsc.port, system_id="shop", password_env="SMS_PASSWORD",
            **{"source": "TINTYPE", "source_ton": 5, **chosen},
        )  # fmt: skip
        self.provider = Smpp(self.settings, self.around)

    def came_out(self) -> Sequence[str]:
        return self.smsc.messages()

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.smsc.statuses.append(CODES[verdict])
        return True

    def go_away(self) -> bool:
        self.smsc.go_away()
        return True

    def come_back(self) -> None:
        self.smsc.come_back()

    def break_off(self) -> bool:
        self.smsc.breaks_after_submit = True
        return True


class Opened:
    """An open provider with its SMSC and loop."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        self.far = FarSmsc(folder, **chosen)
        self.smsc, self.receipts = self.far.smsc, self.far.receipts
        self.loop = Loop()
        self.loop.run(self.far.provider.open())

    def send(self, *messages: Message) -> list[Outcome]:
        return self.loop.run(handed(self.far.provider, messages))

    def until(self, true: Callable[[], object]) -> None:
        """Let the provider's loop run until something is true."""

        async def work() -> None:
            while not true():
                await asyncio.sleep(0.005)

        self.loop.run(work())

    def close(self) -> None:
        self.loop.run(self.far.provider.close())
        self.loop.close()
        self.smsc.close()


def long(text: str = LONG) -> Message:
    return replace(MESSAGE, text=text)


def references(outcomes: Sequence[Outcome]) -> list[str | None]:
    return [one.reference for one in outcomes if isinstance(one, Accepted)]
