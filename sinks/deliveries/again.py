"""What is sent again in bulk, by the filter that lists it.

Dead letters of channels have come to nothing; what is replayed is out, and its receiver has lost it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, State
from sinks.deliveries.listing import Wanted, listed
from sinks.deliveries.records import Acted

MOST = 1000  # at once: they are one transaction, and one request
DEAD = (State.FAILED, State.EXPIRED, State.HELD_BACK)  # what is unknown may be out: one by one, by a person
OUT = (State.SENT, State.DELIVERED)


def dead_letters(connection: sqlite3.Connection, wanted: Wanted, most: int) -> list[str]:
    """Return the ids of the oldest so many that are wanted; of one of the states `DEAD`."""
    assert wanted.state in DEAD
    return [one.id for one in listed(connection, wanted, most)]


def dead_count(connection: sqlite3.Connection, wanted: Wanted) -> int:
    """Return how many are wanted."""
    where, values = wanted.where()
    query = f"SELECT count(*) FROM delivery d JOIN decision USING (number) WHERE {where}"  # noqa: S608
    return int(connection.execute(query, values).fetchone()[0])


def replayable(
    connection: sqlite3.Connection, wanted: Wanted, after: int, most: int
) -> tuple[list[str], int | None]:
    """Return the ids of those wanted that are out, in the order of deciding, behind a number; and the number
    to go on behind, None where there are no more."""
    where, values = wanted.where()
    query = (  # of constants
        "SELECT number, id FROM delivery d JOIN decision USING (number) "  # noqa: S608
        f"WHERE state IN (?, ?) AND {where} AND number > ? ORDER BY number LIMIT ?"
    )
    found = connection.execute(query, (*OUT, *values, after, most)).fetchall()
    return [one for _, one in found], found[-1][0] if len(found) == most else None


def send_again(
    ledger: Ledger, deliveries: Sequence[str], reason: str, now: float, event: Event
) -> int:
    """Send deliveries (their ids) again, all or nothing, on disk; return how many could be: somebody else may
    have come first. event: `Event.RESEND`, or `Event.REPLAY` of what is out."""
    found = ledger.do(*(Acted(one, event, reason, now) for one in deliveries))
    return sum(why is None for why in found)
