"""What becomes of one order, view or ticket in the simulated shop: its row's changes, from first to last.

A change holds the whole row, as a database's change feed has it. Everything that will happen to a row is
drawn when it begins, so that the same seed gives the same shop.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.demo.people import DAY, Person, price_fen
from app.moments import write_moment

HOUR = 60
PRODUCTS, FRESH = 40, 6  # of a category; how many of them are new


@dataclass(frozen=True)
class Change:
    """One row's insert, update or delete at an epoch minute. ``row``: values by the source's headings."""

    minute: int
    source: str
    operation: str
    row: dict[str, Any]


class Lives:
    """Draws the lives of rows. ``zone``: the shop's, in which its database writes local times."""

    def __init__(self, rng: np.random.Generator, zone: str) -> None:
        self.rng = rng
        self.zone = zone
        self._numbers = dict.fromkeys("OPFVTCRL", 0)

    def between(self, low: int, high: int) -> int:
        """Return a whole number of [low, high)."""
        return int(self.rng.integers(low, high))

    def happens(self, chance: float) -> bool:
        return bool(self.rng.random() < chance)

    def key(self, letter: str) -> str:
        """Return the next key of a table, such as O000017."""
        self._numbers[letter] += 1
        return f"{letter}{self._numbers[letter]:06d}"

    def time(self, minute: int) -> str:
        """Return a local time within the minute, as the database writes it."""
        return f"{write_moment(minute, self.zone)}:{self.between(0, 60):02d}"

    def member(self, person: Person) -> Change:
        row = {"member_id": person.member, "phone": person.phone, "city": person.city, "level": person.level,
               "birthday": person.born, "joined_at": write_moment(person.joined, self.zone)[:10],
               "language": person.language}  # fmt: skip
        return Change(person.joined, "members", "insert", row)

    def consent(self, person: Person, minute: int, granted: bool) -> Change:
        row = {"member_id": person.member, "channel": "sms", "purpose": "marketing", "granted": granted,
               "changed_at": self.time(minute)}  # fmt: skip
        return Change(minute, "consent", "upsert", row)

    def order(self, person: Person, minute: int, category: str, fen: int | None = None) -> Iterator[Change]:
        """An order is paid and shipped, or cancelled; its parcel arrives, at times late; some is refunded."""
        price = price_fen(self.rng, category) if fen is None else fen
        row = {"order_id": self.key("O"), "member_id": person.member, "phone": person.phone,
               "created_at": self.time(minute), "amount": yuan(price), "category": category}  # fmt: skip
        yield Change(minute, "orders", "insert", row | {"status": "created"})
        paid = minute + self.between(1, 9)
        if self.happens(0.03):
            yield Change(paid + 20, "orders", "update", row | {"status": "cancelled"})
            return
        yield Change(paid, "orders", "update", row | {"status": "paid"})
        if self.happens(0.06):
            cancelled = paid + self.between(10, 3 * HOUR)
            yield Change(cancelled, "orders", "update", row | {"status": "cancelled"})
            return
        shipped = paid + self.between(HOUR, 20 * HOUR)
        yield Change(shipped, "orders", "update", row | {"status": "shipped"})
        arrived = yield from self._parcel(row["order_id"], shipped)
        yield Change(arrived + 1, "orders", "update", row | {"status": "done"})
        if self.happens(0.06):
            yield self._refund(row["order_id"], arrived + self.between(HOUR, 3 * DAY), price)

    def _parcel(self, order: str, shipped: int) -> Generator[Change, None, int]:
        """Yield the parcel's changes and return the minute of its arrival."""
        carrier = ("SF", "YTO", "ZTO")[self.between(0, 3)]
        row = {"parcel_id": self.key("P"), "order_id": order, "shipped_at": self.time(shipped),
               "carrier": carrier}  # fmt: skip
        yield Change(shipped, "parcels", "insert", row | {"status": "shipped"})
        if not self.happens(0.1):
            arrived = shipped + self.between(12 * HOUR, 3 * DAY)
        else:
            late = shipped + 3 * DAY + self.between(0, 6 * HOUR)
            yield Change(late, "parcels", "update", row | {"status": "late"})
            arrived = late + self.between(6 * HOUR, 2 * DAY)
        yield Change(arrived, "parcels", "update", row | {"status": "delivered"})
        return arrived

    def _refund(self, order: str, minute: int, price: int) -> Change:
        part = price if self.happens(0.5) else price * self.between(10, 60) // 100
        reason = ("尺码", "质量", "不想要了")[self.between(0, 3)]
        row = {"refund_id": self.key("F"), "order_id": order, "amount": yuan(part), "reason": reason,
               "created_at": self.time(minute)}  # fmt: skip
        return Change(minute, "refunds", "insert", row)

    def product(self, category: str) -> str:
        """Return one of a category's forty products; the last numbers are new in the shop."""
        return f"{category}-{self.between(1, PRODUCTS + 1):02d}"

    def view(self, person: Person, minute: int, product: str) -> Change:
        category, _, number = product.partition("-")
        row = {"view_id": self.key("V"), "member_id": person.member, "device": person.device,
               "viewed_at": self.time(minute), "category": category, "product": product,
               "seconds": int(self.rng.exponential(28.0)),
               "fresh": int(number) > PRODUCTS - FRESH}  # fmt: skip
        return Change(minute, "views", "insert", row)

    def ticket(self, person: Person, minute: int) -> Iterator[Change]:
        """A ticket is opened, answered within hours and closed with a score."""
        topic = ("delivery", "quality", "price", "other")[self.between(0, 4)]
        row = {"ticket_id": self.key("T"), "member_id": person.member, "phone": person.phone,
               "opened_at": self.time(minute), "topic": topic, "score": None}  # fmt: skip
        yield Change(minute, "tickets", "insert", row | {"status": "open"})
        answered = minute + self.between(10, 8 * HOUR)
        yield Change(answered, "tickets", "update", row | {"status": "answered"})
        closed = answered + self.between(HOUR, 2 * DAY)
        score = (1, 2, 3, 4, 5)[int(self.rng.choice(5, p=(0.06, 0.08, 0.16, 0.3, 0.4)))]
        yield Change(closed, "tickets", "update", row | {"status": "closed", "score": score})


def yuan(fen: int) -> str:
    """Write fen as the database writes an amount.

    >>> yuan(128005)
    '1280.05'
    """
    return f"{fen // 100}.{fen % 100:02d}"
