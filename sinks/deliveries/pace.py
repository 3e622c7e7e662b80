"""The turns of a trigger's messages at its pace: when each is due follows from the ledger's records alone.

A message is due as soon as its decision is made, but never sooner behind another of its trigger than the pace
allows, and never in the quiet hours that stood against its decision: the first place that is free. Times are
whole microseconds, so that the same records give the same places everywhere.
"""

from __future__ import annotations

import math
import sqlite3

import msgspec

from sinks.deliveries.quiet import Quiet

MICRO = 1_000_000
_MINUTE = 60 * MICRO
_KEPT = 7 * 86_400 * MICRO  # places so long before a decision are forgotten
PLACES = """
CREATE TABLE IF NOT EXISTS place (
    trigger TEXT, first INTEGER, behind INTEGER NOT NULL, PRIMARY KEY (trigger, first)
) WITHOUT ROWID;
"""


class Pace(msgspec.Struct, frozen=True):
    """At most so many messages in any stretch of so many seconds; quiet: hours in which none goes."""

    most: int
    seconds: int
    quiet: Quiet | None = None

    @property
    def apart(self) -> int:
        """Microseconds between two messages.

        >>> Pace(600, 60).apart, Pace(7, 60).apart
        (100000, 8571429)
        """
        return -(-self.seconds * MICRO // self.most)


class Places:
    """The places that are taken, as stretches [first, behind) of each trigger, in a ledger's tables. Every
    call runs inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def take(self, trigger: str, pace: Pace, earliest: float) -> float | None:
        """Take the first free place from a time on; return when it is, both in seconds since 1970. None where
        it falls into quiet hours that drop."""
        at, before = math.ceil(earliest * MICRO), None
        while True:
            before = self._connection.execute(
                "SELECT first, behind FROM place WHERE trigger = ? AND first < ? "
                "ORDER BY first DESC LIMIT 1", (trigger, at + pace.apart),
            ).fetchone()  # fmt: skip
            if before is not None and before[1] > at:
                at = before[1]
                continue
            over = pace.quiet.over_at(at // _MINUTE) if pace.quiet else None
            if over is None:
                break
            if pace.quiet is not None and pace.quiet.drop:
                return None
            at = over * _MINUTE
        self._note(trigger, at, at + pace.apart, before)
        return at / MICRO

    def free(self, trigger: str) -> None:
        """Let all places of a trigger be free again."""
        self._connection.execute("DELETE FROM place WHERE trigger = ?", (trigger,))

    def forget(self, trigger: str, decided: float) -> None:
        """Forget places that lie a week before a decision."""
        old = math.ceil(decided * MICRO) - _KEPT
        self._connection.execute(
            "DELETE FROM place WHERE trigger = ? AND first < ? AND behind < ?", (trigger, old, old)
        )

    def _note(self, trigger: str, first: int, behind: int, before: tuple[int, int] | None) -> None:
        """Write down that a stretch is taken, as one with those that it touches."""
        after = self._connection.execute(
            "SELECT behind FROM place WHERE trigger = ? AND first = ?", (trigger, behind)
        ).fetchone()
        if after is not None:
            self._connection.execute("DELETE FROM place WHERE trigger = ? AND first = ?", (trigger, behind))
            behind = after[0]
        if before is not None and before[1] == first:
            first = before[0]
        self._connection.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", (trigger, first, behind))


def hours_of(pace: Pace | None, quiet: Quiet | None) -> Quiet | None:
    """Return the quiet hours of a message that has a pace, or none and hours of its own."""
    return quiet if pace is None else pace.quiet


def written(pace: Pace | None) -> str:
    """Return a pace as the ledger keeps it with a delivery; empty where there is none."""
    return "" if pace is None else msgspec.json.encode(pace).decode()


def read(text: str) -> Pace | None:
    """Return what `written` wrote."""
    return msgspec.json.decode(text, type=Pace) if text else None
