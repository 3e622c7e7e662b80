"""Cursors that are one number, and what a ledger has behind one."""

from __future__ import annotations

import re
import sqlite3

from console.form import Changed
from console.problems import refuse
from sinks.deliveries.changes import Forgotten, changes_after
from sinks.deliveries.tag_changes import tag_changes_after
from sinks.events.deliveries import DeliveryChange

_CURSOR = re.compile(r"[0-9]{1,18}")


def number_of(cursor: str | None) -> int | None:
    """Return the number that a cursor of this form of the shop is. Raises Problem."""
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        refuse("invalid-request", f"query.cursor: '{cursor}' is none", "give `next` of the page before")
    return None if cursor is None else int(cursor)


def changes_page(
    connection: sqlite3.Connection, cursor: str | None, limit: int
) -> tuple[list[DeliveryChange], str]:
    """Return changes of deliveries' states behind a cursor, and the cursor behind them. Raises Problem."""
    number = number_of(cursor)
    try:
        found = changes_after(connection, number, limit)
    except Forgotten as error:
        refuse("cursor-gone", f"behind {number} changes are missing: {error}",
               "begin without a cursor, and look up in /v1/deliveries what matters")  # fmt: skip
    return found, str(found[-1].number if found else number or 0)


def tag_changes_page(
    connection: sqlite3.Connection, cursor: str | None, limit: int, customer: bytes | None
) -> tuple[list[Changed], str]:
    """Return changes of tags and segments behind a cursor, and the cursor behind all that was looked through.
    Raises Problem."""
    number = number_of(cursor)
    try:
        found, last = tag_changes_after(
            connection, number, limit, None if customer is None else customer.hex()
        )
    except Forgotten as error:
        refuse("cursor-gone", f"behind {number} changes are missing: {error}",
               "begin without a cursor; ids of events tell what you have had")  # fmt: skip
    return [Changed(one, str(at)) for at, one in found], str(last)
