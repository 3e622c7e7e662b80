"""Codes of one ledger as records for another, which gives them out from then on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from engine.outcome import Decision
from sinks.coupons.records import Carried, CodesCarried
from sinks.deliveries.records import Record, Taken

_TOGETHER = 500  # codes of one message: 2 KB each with their decisions
_EVERY = (
    "SELECT coupon.place, pool, code, loaded, claimed, coupon.expires, "
    "coalesce(sent, state IN ('sent', 'delivered'), 0), redeemed, decision.id, "
    "coalesce(state, '') <> 'queued' OR attempts > 0 OR redeemed IS NOT NULL, coalesce(state, ''), body "
    "FROM coupon LEFT JOIN delivery USING (number) LEFT JOIN decision USING (number) ORDER BY coupon.place"
)
_WAIT = ("queued", "claimed", "unknown")  # their decisions are carried with them, or left behind
_REDEMPTIONS = "SELECT mark, at, customer, odd FROM redemption WHERE place = ? ORDER BY at, mark"


def carried(connection: sqlite3.Connection) -> Iterator[list[Record]]:
    """Yield, message by message, the records that give another ledger all codes of this one, in their order.

    With each goes the decision that has it, so that it is known whose it is; of deliveries that wait only
    where the other ledger has them already. To post them twice changes nothing. A ledger of a former release
    may have no codes.
    """
    there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'coupon'"
    if connection.execute(there).fetchone() is None:
        return
    rows = connection.execute(_EVERY)
    while some := rows.fetchmany(_TOGETHER):
        decisions = [body for *_, state, body in some if body is not None and state not in _WAIT]
        made = [(msgspec.json.decode(body, type=Decision), None) for body in decisions]
        yield [*([Taken(made)] if made else []), CodesCarried([_carried(connection, row) for row in some])]


def _carried(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Carried:
    place, pool, code, loaded, claimed, expires, sent, redeemed, decision, seen, *_ = row
    redemptions = connection.execute(_REDEMPTIONS, (place,)).fetchall()
    return Carried(
        pool, code, loaded, claimed, expires, bool(sent), redeemed, decision, bool(seen), redemptions
    )
