"""What the sender of a cluster is asked to do, as messages of the topic ``asked``.

No message holds an address or what a customer has written: whoever asks has found out whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sinks.channels.provider import Receipt
from sinks.coupons.redeeming import Redemption
from sinks.deliveries.life import Event
from sinks.deliveries.records import Position

TOGETHER = 500  # codes of one message: 300 bytes each at most where they are loaded, 1.4 KB redeemed
ASKED = "asked"  # how far the ledger is in the topic


class Receipts(msgspec.Struct, tag="receipts", frozen=True):
    """Receipts of ``channel/provider``, as `sinks.deliveries.records.bare` leaves them.

    by_address: for each the customers (32 hex digits) who are known by the address that it came from. Of a
    former release it is one, or None.
    """

    provider: str
    receipts: Sequence[Receipt]
    by_address: Sequence[Sequence[str] | str | None]
    at: float

    def customers(self) -> list[list[str]]:
        """Return for each receipt who is known by its address."""
        return [[one] if isinstance(one, str) else list(one or ()) for one in self.by_address]


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


class Codes(msgspec.Struct, tag="codes", frozen=True):
    """Somebody loads codes behind those that a pool has. at: tells this asking from others."""

    pool: str
    codes: Sequence[str]
    at: float


class Redeem(msgspec.Struct, tag="redeem", frozen=True):
    """Somebody says that codes were redeemed."""

    told: Sequence[Redemption]


Asked = Receipts | Act | Switch | Click | Codes | Redeem
encoded = msgspec.json.Encoder().encode
decoded = msgspec.json.Decoder(Asked).decode


def to_load(pool: str, codes: Sequence[str], at: float) -> list[Asked]:
    """Return what asks to load codes, in messages that none is too large for a topic or a transaction."""
    return [Codes(pool, codes[begin : begin + TOGETHER], at) for begin in range(0, len(codes), TOGETHER)]


def to_redeem(told: Sequence[Redemption]) -> list[Asked]:
    """Return what says that codes were redeemed, likewise."""
    return [Redeem(told[begin : begin + TOGETHER]) for begin in range(0, len(told), TOGETHER)]
