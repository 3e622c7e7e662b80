"""Changes of deliveries' states, in the order in which they were written down, for whoever follows them.

They are written in the transaction of the step that makes them, and numbered without a gap. The oldest go
after a while; nothing in here reads a clock, so the same steps leave the same changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sinks.events.deliveries import DeliveryChange

KEPT_DAYS = 30
_KEPT_SECONDS = KEPT_DAYS * 86400.0
_FORGOTTEN_AT_ONCE = 1000
# delivery, change (which one of it), state, at (seconds since 1970), attempts made, provider, reason
Noted = tuple[int, int, str, float, int, str, str]
_AFTER = (
    "SELECT e.number, c.partition, c.seq, c.id, c.customer, d.trigger, d.channel, d.template, d.purpose, "
    "e.change, e.state, e.attempt, e.provider, e.at, e.reason FROM delivery_change e "
    "JOIN decision c ON c.number = e.delivery JOIN delivery d ON d.number = e.delivery "
    "WHERE e.number > ? ORDER BY e.number LIMIT ?"
)


class Forgotten(LookupError):
    """What is behind a number is not all there any more, or never was."""


def note_changes(connection: sqlite3.Connection, noted: Sequence[Noted]) -> None:
    """Write changes down, inside the caller's transaction, and forget some that are older than 30 days."""
    if not noted:
        return
    connection.executemany(
        "INSERT INTO delivery_change (delivery, change, state, at, attempt, provider, reason) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)", noted,
    )  # fmt: skip
    oldest = "SELECT at FROM delivery_change ORDER BY number LIMIT 1"
    before = max(at for _, _, _, at, *_ in noted) - _KEPT_SECONDS
    if connection.execute(oldest).fetchone()[0] < before:
        _forget(connection, before)


def _forget(connection: sqlite3.Connection, before: float) -> None:
    """Forget a bounded number of the oldest up to the first that is not old; never the newest, whose number
    tells where to go on."""
    rows = connection.execute(
        "SELECT number, at FROM delivery_change WHERE number < (SELECT max(number) FROM delivery_change) "
        "ORDER BY number LIMIT ?", (_FORGOTTEN_AT_ONCE,),
    ).fetchall()  # fmt: skip
    kept = next((number for number, at in rows if at >= before), rows[-1][0] + 1 if rows else 0)
    connection.execute("DELETE FROM delivery_change WHERE number < ?", (kept,))


def changes_after(connection: sqlite3.Connection, number: int | None, limit: int) -> list[DeliveryChange]:
    """Return up to ``limit`` changes behind a number; None: from the oldest that is kept.

    Raises Forgotten if some behind it are not kept any more, or if there never was such a number here.
    """
    found = [DeliveryChange(*row) for row in connection.execute(_AFTER, (number or 0, limit))]
    if number is None or (found and found[0].number == number + 1):
        return found
    (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM delivery_change").fetchone()
    if found or number > newest:
        told = f"the oldest that is kept is {found[0].number}" if found else f"the newest is {newest}"
        raise Forgotten(told)
    return found
