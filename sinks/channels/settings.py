"""What channels.yaml says of every provider, whatever its kind; each kind adds keys in its own file."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field

from profiles.declare import Declared
from sinks.texts.escape import EscapeName

_LENGTH = re.compile(r"\s*(\d{1,9})\s*([smhdw])\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_seconds(text: str) -> int:
    """Read a length such as ``1s``, ``30m`` or ``1d``; return whole seconds. Raises ValueError.

    >>> parse_seconds("30m")
    1800
    """
    found = _LENGTH.fullmatch(text)
    if not found or int(found[1]) == 0:
        raise ValueError(f"'{text}' is no length; write a whole number and s, m, h, d or w, such as '30s'")
    return int(found[1]) * _SECONDS[found[2]]


class Figures(Declared):
    """So many messages in any stretch of this length."""

    most: int = Field(ge=1, description="messages")
    within: str = Field(default="1s", description="length: 1s, 1m, 1h, 1d")

    @property
    def seconds(self) -> int:
        """The length in seconds."""
        return parse_seconds(self.within)


class Limit(Figures):
    """So many messages in any stretch of this length, as providers publish their limits."""

    each: Literal["provider", "template", "address", "template+address"] = Field(
        default="provider",
        description="counted over the provider, for each template, for each address, or for both together",
    )


class ChannelLimit(Figures):
    """So many messages in any stretch of this length, over all providers of a channel."""

    each: Literal["channel", "template", "address", "template+address"] = Field(
        default="channel",
        description="counted over the channel, for each template, for each address, or for both together",
    )


class ProviderSettings(Declared):
    """One provider of a channel. Secrets stand in the environment; a key ending in ``_env`` names it."""

    escape: ClassVar[EscapeName] = "plain"  # how values are written into its texts; a kind may say otherwise
    # whether a receiver knows by its id a message that comes again, so that what is out may be sent again
    replays: ClassVar[bool] = False

    kind: str
    name: str = Field(default="", description="what deliveries call it; its kind when empty")
    limits: list[Limit] = []
    price: str = Field(
        default="", description="of one message as it is charged, in the shop's currency, such as 0.045"
    )

    @property
    def called(self) -> str:
        """The name that deliveries show."""
        return self.name or self.kind
