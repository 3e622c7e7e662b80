"""How a channel's texts are charged, as far as its first provider tells."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from sinks.channels.channel import Channel
from sinks.channels.cloud.settings import ChineseSettings
from sinks.texts.preview import Measure, parts_of


def measure_of(channel: Channel) -> Measure | None:
    """Return what counts the parts of a channel's texts; None where it is no SMS."""
    first = channel.providers[0]
    if isinstance(first, ChineseSettings):
        return partial(parts_of, always_ucs2=True)
    return parts_of if first.escape == "sms" or channel.address == "phone" else None


def prices_of(channels: Mapping[str, Channel]) -> dict[str, Decimal]:
    """Return what one part costs by each provider (``channel/name``) that says so."""
    return {
        f"{name}/{one.called}": Decimal(one.price)
        for name, channel in channels.items() for one in channel.providers if one.price
    }  # fmt: skip
