"""What revokes decisions in a cluster: consents and switches of the topic ``changes``, kept in a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.sending.revocations import KINDS, Revoked, records_of
from sinks.deliveries.switches import Asked
from streams.changes.reading import messages
from streams.control import SWITCH

FILE_NAME = "revocations.sqlite"
SWITCHES_OF = 0  # every partition has every switch, in one order: one of them says it
_HOLDS = frozenset(f"!{kind}" for kind in KINDS)
_TABLES = """
CREATE TABLE IF NOT EXISTS position (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS consent (
    customer TEXT, consent TEXT, ends INTEGER NOT NULL, PRIMARY KEY (customer, consent)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS off (what TEXT PRIMARY KEY);
"""


class TopicRevocations(Revoked):
    """A cache: what the file says follows from the topic up to its positions. One thread's."""

    def __init__(self, folder: Path, topic: str, partitions: int, now: Callable[[], float]) -> None:
        super().__init__(now)
        self._topic = topic
        folder.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(folder / FILE_NAME, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is read again
        self._file.executescript(_TABLES)
        self._erased: list[str] = []  # by what is being read
        found = dict(self._file.execute("SELECT partition, next FROM position"))
        self.next = {number: int(found.get(number, 0)) for number in range(partitions)}

    def read(self, fetched: Mapping[int, Sequence[Any]]) -> list[str]:
        """Take in records of the topic (of a Kafka client), by partition, in their order.

        Return the customers (32 hex digits) that they erase.
        """
        self._erased = []
        if not fetched:
            return []
        self._file.execute("BEGIN")
        try:
            for number, records in fetched.items():
                for one in messages(self._topic, number, records):
                    if one.offset >= self.next[number] and not _HOLDS.isdisjoint(one.holds):
                        for _, kind, customer, body in sorted(records_of(one.block(0, -1)), key=_ordinal):
                            if kind in KINDS and (kind != SWITCH or number == SWITCHES_OF):
                                self.take(kind, customer, body)
                self.next[number] = max(self.next[number], records[-1].offset + 1)
            self._file.executemany("INSERT OR REPLACE INTO position VALUES (?, ?)", self.next.items())
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        return self._erased

    def turn(self, what: str, off: bool) -> None:
        """Go by a switch from now on. In a sender's life nobody else writes switches, so that what it has
        turned last holds, however far the topic is read."""
        before = [one for one in self._asked if one.what != what]
        self._asked = [*before, Asked(len(before), what, off, "")]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _off_in_log(self) -> Collection[str]:
        return [what for (what,) in self._file.execute("SELECT what FROM off")]

    def _turn(self, what: str, off: bool, reason: str) -> None:
        query = "INSERT OR IGNORE INTO off VALUES (?)" if off else "DELETE FROM off WHERE what = ?"
        self._file.execute(query, (what,))

    def _note(self, customer: str, consent: str, ends: int | None) -> None:
        if ends is None:
            query = "DELETE FROM consent WHERE customer = ? AND consent = ?"
            self._file.execute(query, (customer, consent))
        else:
            self._file.execute("INSERT OR REPLACE INTO consent VALUES (?, ?, ?)", (customer, consent, ends))

    def _ends(self, customer: str, consent: str) -> int | None:
        query = "SELECT ends FROM consent WHERE customer = ? AND consent = ?"
        found = self._file.execute(query, (customer, consent)).fetchone()
        return None if found is None else int(found[0])

    def _forget(self, customer: str) -> None:
        self._erased.append(customer)
        self._file.execute("DELETE FROM consent WHERE customer = ?", (customer,))


def _ordinal(one: tuple[int, str, bytes | None, str]) -> int:
    return one[0]
