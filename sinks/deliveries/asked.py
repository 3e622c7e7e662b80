"""What the sender of a cluster is asked to do, as messages of the topic ``asked``.

No message holds an address or what a customer has written: whoever asks has found out whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sinks.channels.provider import Receipt
from sinks.deliveries.life import Event
from sinks.deliveries.records import Position

ASKED = "asked"  # how far the ledger is in the topic


class Receipts(msgspec.Struct, tag="receipts", frozen=True):
    """Receipts of ``channel/provider``, as `sinks.deliveries.records.bare` leaves them.

    by_address: for each the customer (32 hex digits) at the address that it came from, None where it has
    none, or nobody is known there.
    """

    provider: str
    receipts: Sequence[Receipt]
    by_address: Sequence[str | None]
    at: float


class Act(msgspec.Struct, tag="act", frozen=True):
    """A person settles a delivery, or sends it again."""

    delivery: str
    event: Event
    reason: str
    at: float


class Switch(msgspec.Struct, tag="switch", frozen=True):
    """A person stops something (its name in the log), pauses it, or lets it go on."""

    what: str
    off: bool
    reason: str
    paused: bool = False
    at: float = 0.0

    @property
    def to(self) -> Position:
        """What it is turned to."""
        return "paused" if self.paused else "off" if self.off else "on"


class Click(msgspec.Struct, tag="click", frozen=True):
    """Somebody has followed the link of a delivery (its number in the ledger)."""

    number: int
    at: float


Asked = Receipts | Act | Switch | Click
encoded = msgspec.json.Encoder().encode
decoded = msgspec.json.Decoder(Asked).decode
