"""A pause: deliveries that wait go on waiting, and their time to live stands still, until it ends.

A delivery that a pause covers is out of the queue: no lane sees it. Everything here is a function of the
tables and of what is given, inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from sinks.deliveries import pace as pacing
from sinks.deliveries.pace import Places

PAUSES = "CREATE TABLE IF NOT EXISTS pause (what TEXT PRIMARY KEY, at REAL NOT NULL, reason TEXT NOT NULL);"
PAUSED = "SELECT what, reason FROM pause ORDER BY what"
_WAITING = "state = 'queued' AND paused IS NULL"


def paused(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what is paused, by its name in the log, and why."""
    return dict(connection.execute(PAUSED))


def pause(connection: sqlite3.Connection, what: str, reason: str, at: float) -> None:
    """Put off what waits, and what is yet to come."""
    connection.execute(
        "INSERT INTO pause VALUES (?, ?, ?) ON CONFLICT (what) DO UPDATE SET reason = excluded.reason",
        (what, at, reason),
    )
    where, values = _of(what)
    connection.execute(
        f"UPDATE delivery SET paused = ?, reason = ? WHERE {_WAITING} AND {where}",  # noqa: S608 - constants
        (at, _words(reason), *values),
    )


def switches_over(channel: str, trigger: str) -> tuple[str, str, str]:
    """Return the names in the log of the switches that a delivery is under, everything's first."""
    return "", f"channel/{channel}", f"trigger/{trigger}"


def covering(pauses: Mapping[str, str], channel: str, trigger: str) -> str | None:
    """Return the words of a pause that covers a delivery; None where none does.

    >>> covering({"trigger/spring": "a typing error"}, "sms", "spring")
    'paused: a typing error'
    """
    for what in switches_over(channel, trigger):
        if what in pauses:
            return _words(pauses[what])
    return None


def pause_what_came_back(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Pause those of some deliveries that wait again although a pause covers them."""
    pauses = paused(connection)
    if not pauses or not numbers:
        return
    rows = connection.execute(
        f"SELECT number, channel, trigger FROM delivery WHERE {_WAITING} "  # noqa: S608 - constants
        "AND number IN (SELECT value FROM json_each(?))", (json.dumps(sorted(set(numbers))),),
    ).fetchall()  # fmt: skip
    found = [(words, number) for number, channel, trigger in rows
             if (words := covering(pauses, channel, trigger)) is not None]  # fmt: skip
    connection.executemany("UPDATE delivery SET paused = changed, reason = ? WHERE number = ?", found)


def resume(connection: sqlite3.Connection, what: str, at: float) -> list[int]:
    """End a pause: what no other one covers goes on, in its order, at its pace from then on, and lives as
    long as it had to live when it was paused. Return those whose turn falls into quiet hours that drop.
    """
    if not connection.execute("DELETE FROM pause WHERE what = ?", (what,)).rowcount:
        return []
    pauses, places = paused(connection), Places(connection)
    where, values = _of(what)
    rows = connection.execute(
        "SELECT number, channel, trigger, pace, due, expires, paused FROM delivery "  # noqa: S608
        f"WHERE state = 'queued' AND paused IS NOT NULL AND {where} ORDER BY due, number", values,
    ).fetchall()  # fmt: skip
    rows = [row for row in rows if covering(pauses, row[1], row[2]) is None]
    for trigger in sorted({row[2] for row in rows if row[3]}):
        places.free(trigger)
    changed, dropped = [], []
    for number, _, trigger, text, due, expires, since in rows:
        pace = pacing.read(text)
        turn = due if pace is None else places.take(trigger, pace, at)
        if turn is None:
            dropped.append(number)
            turn = due
        changed.append((turn, max(turn, at) + expires - max(due, since), number))
    connection.executemany(
        "UPDATE delivery SET paused = NULL, reason = '', due = ?, expires = ? WHERE number = ?", changed
    )
    return dropped


def end(connection: sqlite3.Connection, what: str, at: float) -> None:
    """Let what waits come up at once, because it is switched off: to be held back. Its places are free."""
    connection.execute("DELETE FROM pause WHERE what = ?", (what,))
    where, values = _of(what)
    for (trigger,) in connection.execute(
        f"SELECT DISTINCT trigger FROM delivery WHERE state = 'queued' AND pace <> '' AND {where}",  # noqa: S608
        values,
    ).fetchall():
        Places(connection).free(trigger)
    connection.execute(
        "UPDATE delivery SET paused = NULL, due = min(due, ?) "  # noqa: S608
        f"WHERE state = 'queued' AND {where}", (at, *values),
    )  # fmt: skip


def _of(what: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition for what a switch names, and its values."""
    kind, _, name = what.partition("/")
    return (f"{kind} = ?", (name,)) if kind else ("1", ())


def _words(reason: str) -> str:
    return f"paused: {reason}" if reason else "paused"
