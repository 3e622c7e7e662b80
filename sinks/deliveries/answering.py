"""Answers of customers, posted to the ledger's table of them: a function of the tables and of what came."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sinks.channels.provider import Receipt

STATES = ("replied", "unsubscribed")
# Whoever answers without naming a message answers the last that the channel has sent them in this time.
ANSWERED_SECONDS = 7 * 86400.0
ANSWERS = """
CREATE TABLE IF NOT EXISTS answer (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL, channel TEXT NOT NULL, number INTEGER,
    opts_out INTEGER NOT NULL, at REAL NOT NULL, told INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS answer_once ON answer (customer, channel, at, opts_out)
WHERE customer <> '';
CREATE INDEX IF NOT EXISTS answer_nobody ON answer (opts_out) WHERE customer = '';
CREATE INDEX IF NOT EXISTS answer_number ON answer (number) WHERE number IS NOT NULL;
CREATE INDEX IF NOT EXISTS answer_untold ON answer (customer) WHERE told = 0;
"""
_LAST = (
    "SELECT number FROM decision c JOIN delivery d USING (number) WHERE c.customer = ? AND d.channel = ? "
    "AND EXISTS (SELECT 1 FROM attempt a WHERE a.number = d.number AND a.claimed > ? "
    "AND a.outcome NOT LIKE 'refused%') ORDER BY number DESC LIMIT 1"
)


def note_answer(
    connection: sqlite3.Connection, channel: str, given: Receipt, answered: tuple[int, str] | None,
    whom: Sequence[str], at: float,
) -> str | None:  # fmt: skip
    """Write an answer down, inside the caller's transaction; return whose it is, None where nobody is known.

    answered: number and customer of the message that it names; whom: who is known by its address. Who
    unsubscribes is all of them: the number has. A reply is one's, the last that was written to. What comes
    again, at the same time, changes nothing.
    """
    numbers = {one: _last_sent(connection, one, channel, at) for one in whom}
    if answered is not None:
        numbers[answered[1]] = answered[0]
    opts_out = given.state == "unsubscribed"
    if answered is not None and not opts_out:
        numbers = {answered[1]: answered[0]}
    elif not opts_out and len(numbers) > 1:
        last = max(numbers, key=lambda one: (numbers[one] or 0, one))
        numbers = {last: numbers[last]}
    when = at if given.at is None else given.at
    # of nobody the log is told nothing, and neither of a reply to nothing
    rows = [(one, channel, number, opts_out, when, not opts_out and number is None)
            for one, number in sorted(numbers.items())]  # fmt: skip
    connection.executemany(
        "INSERT OR IGNORE INTO answer (customer, channel, number, opts_out, at, told) "
        "VALUES (?, ?, ?, ?, ?, ?)", rows or [("", channel, None, opts_out, when, True)],
    )  # fmt: skip
    if answered is not None:
        return answered[1]
    return min(numbers, default=None)


def _last_sent(connection: sqlite3.Connection, customer: str, channel: str, at: float) -> int | None:
    """Return the number of the last message that a channel has sent a customer of late, or None."""
    found = connection.execute(_LAST, (customer, channel, at - ANSWERED_SECONDS)).fetchone()
    return None if found is None else int(found[0])
