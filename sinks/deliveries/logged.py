"""A ledger whose records stand in a topic: the file is a cache of it, and holds how far it is.

Whoever sends commits a record to the topic before it is posted to the file (`LoggedLedger`); all others
follow the topic (`LedgerCopy`). Both post with the same function, so equal offsets are equal tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import Record, decoded, encoded
from sinks.topics.events import Event
from streams.changes.wire import Outgoing

_CREATE = "CREATE TABLE IF NOT EXISTS position (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER)"
_READ = "SELECT coalesce(max(next), 0) FROM position"
_WRITE = "INSERT OR REPLACE INTO position VALUES (1, ?)"


class Journal(Protocol):
    """Where records are durable before they count."""

    def commit(
        self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Event] = ()
    ) -> int:
        """Append a message of records, messages of the log and events, all or nothing; return its offset.

        It returns only when they are there for certain, however long that takes. Raises where this sender is
        the sender no more: then nothing was appended, or the successor has it.
        """


class LedgerCopy(Ledger):
    """Follows the topic. Several processes may follow it in one file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.connection.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is read again
        self.connection.execute(_CREATE)

    @property
    def next(self) -> int:
        """The first offset that may hold records which are not posted here."""
        return int(self.rows(_READ)[0][0])

    def follow(self, messages: Sequence[tuple[int, bytes]]) -> None:
        """Post messages (offset, records) in their order; those that are posted already are passed over."""
        if not messages:
            return
        with self._transaction():
            first = int(self.connection.execute(_READ).fetchone()[0])
            for offset, message in messages:
                if offset >= first:
                    for record in decoded(message):
                        self._posting.post(record)
            self.connection.execute(_WRITE, (max(first, messages[-1][0] + 1),))

    def do(self, *records: Record) -> list[Any]:
        """Refuse: a copy follows."""
        raise TypeError("a copy of a ledger is not written")

    def make(self, record_of: Callable[[sqlite3.Connection], Record | None]) -> None:
        """Commit a record to the topic, then post it: nobody else writes in between. A copy refuses."""
        record = record_of(self.connection)
        if record is not None:
            self.do(record)


class LoggedLedger(LedgerCopy):
    """The sender's own. It must have followed to the topic's end before anything is done with it."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        super().__init__(folder)
        self._journal = journal

    def do(self, *records: Record) -> list[Any]:
        """Commit records to the topic, then post them; return what `Posting.post` does of each."""
        return self.tell((), *records)

    def tell(
        self, outgoing: Sequence[Outgoing], *records: Record, events: Sequence[Event] = ()
    ) -> list[Any]:
        """Do so together with messages of the log, and with events for others."""
        offset = self._journal.commit(encoded(records), outgoing, events)
        with self._transaction():
            found = [self._posting.post(one) for one in records]
            self.connection.execute(_WRITE, (offset + 1,))
        return found
