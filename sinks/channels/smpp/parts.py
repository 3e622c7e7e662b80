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

    An SMSC may tell what became of a part before it answers the submit, which is where its name comes from.
    So a receipt of an unknown name is kept until every part that is in flight by then has its answer.
    """

    def __init__(self) -> None:
        self._of: dict[str, Whole] = {}
        self._tickets = 0
        self._in_flight: dict[int, None] = {}  # tickets, the oldest first
        self._early: dict[str, tuple[int, Receipt]] = {}  # the newest ticket by then; the oldest first

    def begun(self) -> int:
        """Note that a part is about to be written; return its ticket."""
        self._tickets += 1
        self._in_flight[self._tickets] = None
        return self._tickets

    def accepted(self, whole: Whole, reference: str) -> list[Receipt]:
        """Note that the SMSC calls a part so; return what a receipt that came before says of the message. The
        first part's name is the message's.
        """
        whole.reference = whole.reference or reference
        self._of[reference] = whole
        if len(self._of) > MOST:
            del self._of[next(iter(self._of))]
        _, early = self._early.pop(reference, (0, None))
        told = self.heard(early) if early is not None else None
        return [] if told is None else [told]

    def settled(self, ticket: int) -> list[Receipt]:
        """Note that a part has its answer, or never will; return the receipts that are of none in flight."""
        del self._in_flight[ticket]
        oldest = next(iter(self._in_flight), self._tickets + 1)
        released = []
        while self._early and (first := next(iter(self._early.items())))[1][0] < oldest:
            released.append(self._early.pop(first[0])[1])
        return released

    def heard(self, receipt: Receipt) -> Receipt | None:
        """Return what a receipt says of the message: delivered with its last part, failed with the first that
        did; None where nothing is settled by it.
        """
        reference = receipt.reference or ""
        whole = self._of.pop(reference, None)
        if whole is None:
            if not self._in_flight:
                return receipt
            ticket, kept = self._early.get(reference, (self._tickets, receipt))
            self._early[reference] = ticket, kept if kept.state == "delivered" else receipt
            return None
        if receipt.state == "delivered":
            whole.left -= 1
        if whole.told or (receipt.state == "delivered" and whole.left > 0):
            return None
        whole.told = True
        return replace(receipt, reference=whole.reference)
