"""Receipts against the ledger: found by the provider's reference, or kept until their attempt is settled.

A receipt may come before the answer to the sending is written down. It is kept then, on disk, and applied
in the same transaction as the answer. One that nobody can ever be found for goes after a while.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from sinks.channels.provider import Receipt
from sinks.deliveries.delivery import Step, without_addresses
from sinks.deliveries.life import Event, State
from sinks.deliveries.steps import take_steps

KEPT_SECONDS = 7 * 86400.0
KEPT_MOST = 100_000
_EVENTS = {"delivered": Event.ARRIVED, "failed": Event.LOST}
_FOUND = (
    "SELECT a.number, a.attempt, d.state, c.customer FROM attempt a "
    "JOIN delivery d USING (number) JOIN decision c USING (number) WHERE a.provider = ? AND "
)
_KEPT = "SELECT r.id, a.number, a.attempt, r.reference, r.state, r.at, r.code, r.reason FROM attempt a "
_OF = "WHERE a.number IN (SELECT value FROM json_each(?))"


class Receipts:
    """Those of one ledger; every method runs inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def take(self, provider: str, receipt: Receipt, now: float) -> str | None:
        """Apply a receipt, or keep it for later; return whose it is (id of 32 hex digits), where known."""
        if receipt.reference is None:
            return None
        found = self.find(provider, receipt.reference)
        if receipt.state in _EVENTS:
            if found is None or found[2] == State.CLAIMED:
                self._keep(provider, receipt, now)
            else:
                self.apply(found[0], found[1], receipt, now)
        return None if found is None else found[3]

    def apply(self, number: int, attempt: int, receipt: Receipt, now: float) -> None:
        """Note a receipt of an attempt. That an attempt failed matters of the last one only; that it arrived
        matters of any."""
        self._connection.execute(
            "UPDATE attempt SET receipt = ?, receipt_at = ?, receipt_code = ? "
            "WHERE number = ? AND attempt = ?",
            (receipt.state, receipt.at or now, receipt.code, number, attempt),
        )
        query = "SELECT attempts FROM delivery WHERE number = ?"
        (last,) = self._connection.execute(query, (number,)).fetchone()
        if receipt.state == "delivered" or attempt == last:
            step = Step(number, _EVENTS[receipt.state], now, reason=without_addresses(receipt.reason))
            take_steps(self._connection, [step])

    def kept_of(self, numbers: Sequence[int]) -> list[tuple[int, int, Receipt]]:
        """Take out the receipts kept for these deliveries: number, attempt, receipt, as they came."""
        if not numbers or not self._connection.execute("SELECT EXISTS (SELECT 1 FROM receipt)").fetchone()[0]:
            return []
        asked = json.dumps(list(numbers))
        join = "JOIN receipt r ON r.provider = a.provider AND r.reference = a.reference "
        own = (
            "JOIN decision c ON c.number = a.number "
            "JOIN receipt r ON r.provider = a.provider AND r.reference = c.id "
        )
        rows = self._connection.execute(_KEPT + join + _OF, (asked,)).fetchall()
        rows += self._connection.execute(_KEPT + own + _OF, (asked,)).fetchall()
        latest = {row[0]: row for row in sorted(rows, key=lambda row: row[2])}  # of several attempts the last
        self._connection.executemany("DELETE FROM receipt WHERE id = ?", [(one,) for one in latest])
        return [
            (number, attempt, Receipt(reference, state, at, code, reason))
            for _, number, attempt, reference, state, at, code, reason in sorted(latest.values())
        ]

    def find(self, provider: str, reference: str) -> tuple[int, int, str, str] | None:
        """Find the attempt by the provider's name for it, or by the delivery's own id, which some providers
        give back: the one way to hear of an attempt whose answer was lost."""
        query = _FOUND + "a.reference = ? ORDER BY a.number DESC, a.attempt DESC LIMIT 1"
        found = self._connection.execute(query, (provider, reference)).fetchone()
        if found is None:
            own = "c.id = ? AND c.outcome = 'act' ORDER BY a.attempt DESC LIMIT 1"
            found = self._connection.execute(_FOUND + own, (provider, reference)).fetchone()
        return found  # type: ignore[no-any-return]  # a row of SQLite

    def _keep(self, provider: str, receipt: Receipt, now: float) -> None:
        self._connection.execute(
            "INSERT INTO receipt (provider, reference, state, at, code, reason, came) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (provider, receipt.reference, receipt.state, receipt.at, receipt.code,
             without_addresses(receipt.reason), now),
        )  # fmt: skip
        self._connection.execute(
            "DELETE FROM receipt WHERE id <= (SELECT max(id) FROM receipt) - ? OR "
            "id IN (SELECT id FROM receipt WHERE came < ? ORDER BY id LIMIT 100)",
            (KEPT_MOST, now - KEPT_SECONDS),
        )
