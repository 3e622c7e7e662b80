"""Codes for decisions: each decision has one at most, for good, and no two have the same."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sinks.channels.message import HeldBack
from sinks.coupons.coupon import Coupon
from sinks.coupons.pool import Pool, is_over, last_minute
from sinks.coupons.records import CodesClaimed, Given
from sinks.deliveries.delivery import Queued
from sinks.deliveries.ledger import Ledger

_FREE = (
    "SELECT code FROM coupon WHERE pool = ? AND claimed IS NULL AND redeemed IS NULL ORDER BY place LIMIT ?"
)
_LEFT = (
    "SELECT count(*) FROM "
    "(SELECT 1 FROM coupon WHERE pool = ? AND claimed IS NULL AND redeemed IS NULL LIMIT ?)"
)


@dataclass(frozen=True)
class Wanted:
    """A delivery (its number) whose message says a code of a pool, and the decision's customer."""

    number: int
    pool: str
    customer: str


class Claims:
    """Claims codes before messages are made. One thread's, the dispatcher's.

    pool_of: the pool that a decision's message says a code of, "" where it says none; zone: the shop's;
    say: a line for people, when a pool runs out; form: what their commands end with.
    """

    def __init__(
        self, ledger: Ledger, pools: Mapping[str, Pool], pool_of: Callable[[Queued], str], zone: str,
        say: Callable[[str], None], form: str = "",
    ) -> None:  # fmt: skip
        self._ledger, self._pools, self._pool_of = ledger, pools, pool_of
        self._zone, self._say, self._form = zone, say, form
        self._found: dict[int, Coupon | str] = {}
        self._warned: set[str] = set()

    def claim(self, rows: Sequence[Queued], now: float) -> None:
        """Let each delivery whose message says a code have one: on disk when this returns. What it has
        already, from a former attempt or before a crash, stays its own."""
        wanted = [
            Wanted(one.number, pool, one.decision.customer)
            for one in rows if (pool := self._pool_of(one))
        ]  # fmt: skip
        self._found = {}
        if not wanted:
            return
        self._found |= held(self._ledger, [one.number for one in wanted])
        lacking = [one for one in wanted if one.number not in self._found]
        if lacking:
            chosen: dict[int, Coupon | str] = {}
            self._ledger.make(lambda connection: self._choose(connection, lacking, now, chosen))
            self._found |= chosen
            for pool in sorted({one.pool for one in lacking}):
                self._warn(pool)

    def of(self, row: Queued) -> Coupon | None:
        """Return the code of a delivery of the last `claim`; None where its message says none. Raises
        HeldBack with the reason where there is none for it."""
        found = self._found.get(row.number)
        if isinstance(found, str):
            raise HeldBack(found)
        return found

    def _choose(
        self, connection: sqlite3.Connection, lacking: Sequence[Wanted], now: float,
        chosen: dict[int, Coupon | str],
    ) -> CodesClaimed | None:  # fmt: skip
        """Return the record of what is claimed, if anything is; chosen: gets it, and why others have none."""
        chosen |= choose_codes(connection, self._pools, self._zone, lacking, now)
        given = [
            Given(number, one.pool, one.code, one.expires)
            for number, one in chosen.items() if isinstance(one, Coupon)
        ]  # fmt: skip
        return CodesClaimed(given, now) if given else None

    def _warn(self, pool: str) -> None:
        declared = self._pools.get(pool)
        bound = max(1, declared.warn_below) if declared else 0
        left = left_of(self._ledger, pool, bound)
        if left >= bound:
            self._warned.discard(pool)
        elif pool not in self._warned:
            self._warned.add(pool)
            self._say(f"coupons: pool '{pool}' has {left} codes left; load more: "
                      f"tintype coupons SHOP import {pool} FILE{self._form}")  # fmt: skip


def choose_codes(
    connection: sqlite3.Connection, pools: Mapping[str, Pool], zone: str, wanted: Sequence[Wanted], now: float
) -> dict[int, Coupon | str]:
    """Return by delivery, in order, the code that it gets, or why there is none. It follows from the tables
    and what is given alone: the first free code of a pool, as loaded. Nothing is changed."""
    found: dict[int, Coupon | str] = {}
    free: dict[str, Iterator[str]] = {}
    got: Counter[tuple[str, str]] = Counter()  # in here: the tables do not have it yet
    for one in wanted:
        pool = pools.get(one.pool)
        whose = one.pool, one.customer
        if pool is None:
            found[one.number] = f"there is no pool of coupons '{one.pool}' any more"
        elif is_over(pool.expires, now, zone):
            found[one.number] = f"the codes of pool '{one.pool}' were good until {pool.expires}"
        elif pool.per_customer is not None and _had(connection, one) + got[whose] >= pool.per_customer:
            found[one.number] = f"the customer has had {pool.per_customer} codes of pool '{one.pool}'"
        else:
            if one.pool not in free:
                free[one.pool] = _free(connection, one.pool, len(wanted))
            code = next(free[one.pool], None)
            if code is None:
                found[one.number] = f"no code is left in pool '{one.pool}'"
                continue
            found[one.number] = Coupon(one.pool, code, last_minute(pool.expires, now, zone))
            got[whose] += 1
    return found


def held(ledger: Ledger, numbers: Sequence[int]) -> dict[int, Coupon]:
    """Return the codes that deliveries have, by their numbers."""
    rows = ledger.rows(
        "SELECT number, pool, code, expires FROM coupon WHERE number IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return {number: Coupon(*rest) for number, *rest in rows}


def left_of(ledger: Ledger, pool: str, most: int) -> int:
    """Return how many codes of a pool are free, counted up to ``most``."""
    [(found,)] = ledger.rows(_LEFT, (pool, most))
    return int(found)


def _free(connection: sqlite3.Connection, pool: str, most: int) -> Iterator[str]:
    return iter([code for (code,) in connection.execute(_FREE, (pool, most)).fetchall()])


def _had(connection: sqlite3.Connection, one: Wanted) -> int:
    """Return how many codes of the pool the customer has had: those of all their decisions."""
    query = (
        "SELECT count(*) FROM decision CROSS JOIN coupon USING (number) "
        "WHERE decision.customer = ? AND coupon.pool = ?"
    )
    return int(connection.execute(query, (one.customer, one.pool)).fetchone()[0])
