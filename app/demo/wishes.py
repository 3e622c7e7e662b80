"""What customers of the simulated shop want: carts, requests to be told of stock, and levels that change."""

from __future__ import annotations

from collections.abc import Iterator

from app.demo.lives import HOUR, Change, Lives, yuan
from app.demo.people import DAY, Person, price_fen
from app.moments import write_moment

YEAR = 365 * DAY  # a level is for a year


class Wishes:
    """Draws the lives of these rows, with the numbers of ``lives``."""

    def __init__(self, lives: Lives) -> None:
        self.lives = lives

    def cart(self, person: Person, minute: int, product: str, ordered: int | None) -> Iterator[Change]:
        """Something is put into the cart: ordered at a minute, taken out again, or left there."""
        category = product.partition("-")[0]
        row = {"cart_id": self.lives.key("C"), "member_id": person.member, "device": person.device,
               "added_at": self.lives.time(minute), "product": product, "category": category,
               "amount": yuan(price_fen(self.lives.rng, category))}  # fmt: skip
        yield Change(minute, "carts", "insert", row | {"status": "open"})
        if ordered is not None:
            yield Change(ordered, "carts", "update", row | {"status": "ordered"})
        elif self.lives.happens(0.2):
            removed = minute + self.lives.between(1, HOUR)
            yield Change(removed, "carts", "update", row | {"status": "removed"})

    def restock(self, person: Person, minute: int, product: str) -> Iterator[Change]:
        """Somebody asks to be told: there is a presale at times, and mostly the product comes in."""
        lives = self.lives
        price = yuan(price_fen(lives.rng, product.partition("-")[0]))
        row = {"request_id": lives.key("R"), "member_id": person.member, "product": product, "price": price}
        yield self._asked(row, minute, "insert", "waiting", None)
        minute += lives.between(DAY, 40 * DAY)
        if lives.happens(0.1):
            yield self._asked(row, minute, "update", "cancelled", None)
            return
        if lives.happens(0.4):
            arrives = minute + 10 * DAY
            yield self._asked(row, minute, "update", "presale", arrives)
            minute = arrives
        yield self._asked(row, minute, "update", "arrived", None)

    def _asked(
        self, row: dict[str, str], minute: int, operation: str, status: str, arrives: int | None
    ) -> Change:
        day = None if arrives is None else write_moment(arrives, self.lives.zone)[:10]
        changed = {"changed_at": self.lives.time(minute), "status": status, "arrives_on": day}
        return Change(minute, "restocks", operation, row | changed)

    def level(self, person: Person, minute: int, level: str, direction: str) -> Change:
        """A member's level changes."""
        row = {"change_id": self.lives.key("L"), "member_id": person.member, "level": level,
               "direction": direction, "changed_at": self.lives.time(minute),
               "valid_until": write_moment(minute + YEAR, self.lives.zone)[:10]}  # fmt: skip
        return Change(minute, "levels", "insert", row)
