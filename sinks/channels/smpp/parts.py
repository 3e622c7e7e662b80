"""Receipts come for each part; whoever sent a message hears of it once, when that is settled."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sinks.channels.provider import Receipt

# Parts whose receipts are waited for, some 200 bytes each. Beyond that the oldest are forgotten.
MOST = 200_000


@dataclass
class Whole:
    """One message of several parts. left: how many are not known to be delivered."""

    left: int
    reference: str = ""
    told: bool = False


class Parts:
    """Which message a part belongs to, by the SMSC's name for the part. It is lost when the process ends: a
    part is then taken for a message of its own, and the first one has the name of the whole.
    """

    def __init__(self) -> None:
        self._of: dict[str, Whole] = {}

    def accepted(self, whole: Whole, reference: str) -> None:
        """Note that the SMSC calls a part so. The first one's name is the message's."""
        whole.reference = whole.reference or reference
        self._of[reference] = whole
        if len(self._of) > MOST:
            del self._of[next(iter(self._of))]

    def heard(self, receipt: Receipt) -> Receipt | None:
        """Return what a receipt says of the message: delivered with its last part, failed with the first that
        did; None where nothing is settled by it.
        """
        whole = self._of.pop(receipt.reference or "", None)
        if whole is None:
            return receipt
        if receipt.state == "delivered":
            whole.left -= 1
        if whole.told or (receipt.state == "delivered" and whole.left > 0):
            return None
        whole.told = True
        return replace(receipt, reference=whole.reference)
