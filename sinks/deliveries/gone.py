"""What went out to customers under caps, by the minute of its claim: found by customer, whatever waits.

Only messages against whose decisions caps stood are in here. What was sent before a ledger noted this is not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from sinks.deliveries.capped import names_in

Rows = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]  # of a ledger
Gone = dict[str, list[tuple[int, frozenset[str]]]]  # customer -> minute, names of the caps that count it
TABLE = """
CREATE TABLE IF NOT EXISTS gone (
    customer TEXT, minute INTEGER, number INTEGER, PRIMARY KEY (customer, minute, number)
) WITHOUT ROWID;
"""
_NOTE = "INSERT OR IGNORE INTO gone SELECT customer, ?, number FROM decision WHERE number = ?"
# One that was refused and claimed again is there for each claim, in order: its last one counts.
_SINCE = (
    "SELECT customer, minute, number, caps FROM gone CROSS JOIN delivery USING (number) "
    "WHERE customer IN (SELECT value FROM json_each(?)) AND minute > ? "
    "AND state IN ('claimed', 'sent', 'delivered', 'unknown') ORDER BY customer, minute"
)


def note_gone(connection: sqlite3.Connection, claims: Sequence[tuple[int, int]]) -> None:
    """Note claims under caps (minute, number of the delivery), inside the caller's transaction."""
    connection.executemany(_NOTE, claims)


def gone_since(rows: Rows, customers: Sequence[str], since: int) -> Gone:
    """Return what went out, or may have, to customers behind a minute: what is claimed, sent, delivered or
    unknown. rows: `sinks.deliveries.ledger.Ledger.rows`."""
    last: dict[int, tuple[str, int, frozenset[str]]] = {}
    for customer, minute, number, caps in rows(_SINCE, (json.dumps(customers), since)):
        last[number] = customer, minute, names_in(caps)
    found: Gone = {}
    for customer, minute, names in last.values():
        found.setdefault(customer, []).append((minute, names))
    return found
