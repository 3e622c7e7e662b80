"""What the harnesses of providers in the cloud share: a server on loopback as `provider_contract.Far` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sinks.channels.batch import Batch
from sinks.channels.provider import Around, Provider, Receipt
from tests.sinks.loopback_sms import LoopbackSms
from tests.sinks.provider_contract import Changed


class WithText:
    """A provider whose messages have their own text as a value, for templates that are all variable.

    The contract tells messages apart by their text, which a provider with templates of its own never sends.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    async def open(self) -> None:
        await self.provider.open()

    async def send(self, batch: Batch) -> None:
        await self.provider.send(Changed(batch, lambda one: replace(one, values={"text": one.text})))

    async def close(self) -> None:
        await self.provider.close()


class CloudFar:
    """The other side of a provider in the cloud."""

    def __init__(self, server: LoopbackSms, environment: Mapping[str, str]) -> None:
        self.server = server
        self.receipts: list[Receipt] = []  # none come by `Around.receive`: they are called back over HTTP
        self.around = Around(Path(), lambda _: None, environment=environment)
        self.provider: Provider

    def came_out(self) -> Sequence[str]:
        return self.server.out

    def go_away(self) -> bool:
        return self.server.go_away()

    def come_back(self) -> None:
        self.server.come_back()

    def break_off(self) -> bool:
        return self.server.break_off()


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a proxy of this machine from standing before the loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
