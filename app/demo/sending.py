"""Carrying the demo's messages out: SMS by SMPP to an SMSC on loopback, everything else as the shop says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from app.demo.smsc import ACCOUNT, Sms, Smsc
from app.sending.deliveries import make_dispatcher
from app.shop import Shop
from sinks.channels.courier import Courier
from sinks.channels.provider import Around
from sinks.channels.smpp.settings import SmppSettings
from sinks.deliveries.lane import Carried
from sinks.deliveries.ledger import Ledger

CHANNEL, PASSWORD, SENDER = "sms", "DEMO_SMSC_PASSWORD", "10690000"
PATIENCE_SECONDS = 10.0


def by_loopback(shop: Shop, port: int) -> Shop:
    """Return the shop with the SMSC at this port of this machine as the only provider of its SMS."""
    smsc = SmppSettings(host="127.0.0.1", port=port, system_id=ACCOUNT, password_env=PASSWORD, source=SENDER)
    sms = shop.channels[CHANNEL].model_copy(update={"providers": [smsc]})
    return shop.model_copy(update={"channels": {**shop.channels, CHANNEL: sms}})


class Sending:
    """The dispatcher of the demo's shop, minute by minute. Its parts are let go of by ``stack``.

    courier: made of the shop as `by_loopback` returns it. now: the simulated time in seconds.
    """

    def __init__(
        self, shop: Shop, smsc: Smsc, around: Around, ledger: Ledger, courier: Courier,
        now: Callable[[], float], seed: int, stack: ExitStack,
    ) -> None:  # fmt: skip
        self._smsc, self._carried = smsc, list[Carried]()
        self._runner = stack.enter_context(asyncio.Runner())
        self._dispatcher = make_dispatcher(
            shop, replace(around, environment={PASSWORD: smsc.password}), ledger, courier, now,
            self._carried.append, random.Random(seed),  # noqa: S311 - jitter
        )  # fmt: skip
        self._runner.run(self._dispatcher.open())
        stack.callback(lambda: self._runner.run(self._dispatcher.close()))

    def carry(self) -> tuple[list[Carried], list[Sms]]:
        """Send everything that is due, and wait for its receipts, so that a minute always ends the same way;
        return what was carried out, and the texts as the SMSC has them.
        """
        self._carried.clear()
        self._runner.run(self._until_settled())
        return list(self._carried), self._smsc.taken()

    async def _until_settled(self) -> None:
        await self._dispatcher.run_until_idle()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._smsc.unsettled:
                await asyncio.sleep(0.001)
