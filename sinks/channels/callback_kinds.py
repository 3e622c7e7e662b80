"""Which kinds of provider call back with receipts, and what reads their callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from sinks.channels.provider import Receipt
from sinks.channels.settings import ProviderSettings

READERS = {
    "aliyun": "sinks.channels.cloud.aliyun_receipts",
    "tencent": "sinks.channels.cloud.tencent_receipts",
    "twilio": "sinks.channels.cloud.twilio_receipts",
}


class Reader(Protocol):
    """A module that reads a kind's callbacks."""

    @property
    def ANSWER(self) -> tuple[str, bytes]:
        """Media type and body that the provider wants to hear."""

    def receipts_of(
        self, body: bytes, headers: Mapping[str, str], url: str, settings: Any,
        environment: Mapping[str, str],
    ) -> list[Receipt]:  # fmt: skip
        """Read a callback. url: as the provider called it. Raises NotSigned and InputError."""


def takes_callbacks(settings: ProviderSettings) -> bool:
    """Tell whether a provider of these settings calls back in a form of its own."""
    return settings.kind in READERS


def reader_of(settings: ProviderSettings) -> Reader:
    """Return what reads the callbacks of a provider that takes them; it is imported now."""
    return cast(Reader, import_module(READERS[settings.kind]))
