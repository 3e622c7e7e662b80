"""Records of codes posted to their tables: a function of the tables and the record, and of nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sinks.coupons.records import CodeRecord, CodesClaimed, CodesForgotten, CodesLoaded, CodesRedeemed
from sinks.coupons.redeeming import redeem

_LOAD = "INSERT OR IGNORE INTO coupon (pool, code, loaded) VALUES (?, ?, ?)"
_GIVE = "UPDATE coupon SET number = ?, claimed = ?, expires = ? WHERE pool = ? AND code = ?"
# The decision's minute tells whose it was: nobody decides about the erased behind the record.
_FORGET = (
    "UPDATE coupon SET number = NULL, sent = (SELECT state IN ('sent', 'delivered') FROM delivery "
    "WHERE delivery.number = coupon.number) WHERE number IN (SELECT number FROM decision WHERE customer = ?1 "
    "AND (?2 IS NULL OR json_extract(CAST(body AS TEXT), '$.minute') <= ?2))"
)


def post_codes(connection: sqlite3.Connection, record: CodeRecord) -> Any:
    """Post a record inside the caller's transaction; return how many codes were loaded, or forgotten, or what
    is odd about each redemption."""
    match record:
        case CodesLoaded(pool, codes, at):
            return connection.executemany(_LOAD, [(pool, code, at) for code in codes]).rowcount
        case CodesClaimed(given, at):
            rows = [(one.number, at, one.expires, one.pool, one.code) for one in given]
            connection.executemany(_GIVE, rows)
        case CodesRedeemed(told):
            return redeem(connection, told)
        case CodesForgotten(customer, until):
            return _forget(connection, customer, until)
    return None


def concerned(connection: sqlite3.Connection, customers: Sequence[str]) -> set[str]:
    """Return which customers (32 hex digits) have a code, or redeemed one."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM decision CROSS JOIN coupon USING (number) WHERE customer = ?1) "
        "OR EXISTS (SELECT 1 FROM redemption WHERE customer = ?1)"
    )
    return {one for one in set(customers) if connection.execute(query, (one,)).fetchone()[0]}


def _forget(connection: sqlite3.Connection, customer: str, until: int | None) -> int:
    freed = connection.execute(_FORGET, (customer, until)).rowcount
    connection.execute("UPDATE redemption SET customer = NULL WHERE customer = ?", (customer,))
    return freed
