"""How a channel's texts are charged, as far as its first provider tells."""

from __future__ import annotations

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
