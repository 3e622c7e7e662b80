"""Dead letters of channels, sent again in bulk: what has come to nothing, by the filter that lists it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, State
from sinks.deliveries.listing import Wanted, listed
from sinks.deliveries.records import Acted

MOST = 1000  # at once: they are one transaction, and one request
DEAD = (State.FAILED, State.EXPIRED, State.HELD_BACK)  # what is unknown may be out: one by one, by a person


def dead_letters(connection: sqlite3.Connection, wanted: Wanted, most: int) -> list[str]:
    """Return the ids of the oldest so many that are wanted; of one of the states `DEAD`."""
    assert wanted.state in DEAD
    return [one.id for one in listed(connection, wanted, most)]


def dead_count(connection: sqlite3.Connection, wanted: Wanted) -> int:
    """Return how many are wanted."""
    where, values = wanted.where()
    query = f"SELECT count(*) FROM delivery d JOIN decision USING (number) WHERE {where}"  # noqa: S608
    return int(connection.execute(query, values).fetchone()[0])


def send_again(ledger: Ledger, deliveries: Sequence[str], reason: str, now: float) -> int:
    """Send deliveries (their ids) again, all or nothing, on disk; return how many could be: somebody else may
    have come first."""
    found = ledger.do(*(Acted(one, Event.RESEND, reason, now) for one in deliveries))
    return sum(why is None for why in found)
