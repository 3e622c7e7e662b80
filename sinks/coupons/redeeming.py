"""What was redeemed: told by rows of a source, by the API or by a file, each of them once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Odd = Literal["", "unknown", "never claimed", "by another customer", "again", "after its end"]


@dataclass(frozen=True)
class Redemption:
    """Somebody redeemed a code. mark: tells one redemption from another, such as the key of an order: the
    same one told again is no second one. at: seconds since 1970. customer: id of 32 hex digits, where known.
    """

    pool: str
    code: str
    mark: str
    at: float
    customer: str | None = None


def redeem(connection: sqlite3.Connection, told: Sequence[Redemption]) -> list[Odd]:
    """Write down what was redeemed, inside the caller's transaction; return what is odd about each: nothing
    (""), or that the pool has no such code, which is left out. A code that was redeemed is not given out."""
    return [_redeem(connection, one) for one in told]


def _redeem(connection: sqlite3.Connection, one: Redemption) -> Odd:
    row = connection.execute(
        "SELECT place, claimed, coupon.expires, redeemed, customer FROM coupon "
        "LEFT JOIN decision USING (number) WHERE pool = ? AND code = ?", (one.pool, one.code),
    ).fetchone()  # fmt: skip
    if row is None:
        return "unknown"
    place, claimed, expires, redeemed, whose = row
    known = "SELECT odd FROM redemption WHERE place = ? AND mark = ?"
    before: tuple[Odd] | None = connection.execute(known, (place, one.mark)).fetchone()
    if before is not None:
        return before[0]
    odd: Odd = ""
    if redeemed is not None:
        odd = "again"
    elif claimed is None:
        odd = "never claimed"
    elif whose is not None and one.customer is not None and whose != one.customer:
        odd = "by another customer"
    elif expires is not None and one.at >= (expires + 1) * 60:
        odd = "after its end"
    connection.execute(
        "INSERT INTO redemption VALUES (?, ?, ?, ?, ?)", (place, one.mark, one.at, one.customer, odd)
    )
    connection.execute(
        "UPDATE coupon SET redeemed = ? WHERE place = ? AND redeemed IS NULL", (one.at, place)
    )
    return odd
