"""What revokes decisions in a cluster: consents and switches of the topic ``changes``, kept in a file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.sending.revocations import KINDS, Revoked, records_of
from sinks.deliveries.switches import Asked
from streams.changes.reading import messages
from streams.changes.wire import Incoming
from streams.control import CONSENT, SWITCH, Control

FILE_NAME = "revocations.sqlite"
_VERSION = 1  # of the file: another one is read anew from the topic
SWITCHES_OF = 0  # every partition has every switch, in one order: one of them says it
_HOLDS = frozenset(f"!{kind}" for kind in KINDS)
_FORGET = "DROP TABLE IF EXISTS position; DROP TABLE IF EXISTS consent; DROP TABLE IF EXISTS off;"
_TABLES = """
CREATE TABLE IF NOT EXISTS position (
    partition INTEGER PRIMARY KEY, next INTEGER NOT NULL, step INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS consent (
    customer TEXT, consent TEXT, ends INTEGER NOT NULL, PRIMARY KEY (customer, consent)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS off (what TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stopped (
    what TEXT, partition INTEGER, step INTEGER NOT NULL, PRIMARY KEY (what, partition)
) WITHOUT ROWID;
"""


class TopicRevocations(Revoked):
    """A cache: what the file says follows from the topic up to its positions. One thread's."""

    def __init__(
        self, folder: Path, topic: str, partitions: int, now: Callable[[], float],
        opted_out: Callable[[str, str], bool] = lambda _, __: False,
    ) -> None:  # fmt: skip
        super().__init__(now, opted_out)
        self._topic = topic
        folder.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(folder / FILE_NAME, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is read again
        if self._file.execute("PRAGMA user_version").fetchone() != (_VERSION,):
            self._file.executescript(_FORGET)
        self._file.executescript(f"{_TABLES}PRAGMA user_version = {_VERSION};")
        self._erased: list[str] = []  # by what is being read
        found = {number: rest for number, *rest in self._file.execute("SELECT * FROM position")}
        self.next = {number: int(found.get(number, (0, 0))[0]) for number in range(partitions)}
        self._step = {number: int(found.get(number, (0, 0))[1]) for number in range(partitions)}
        stops = self._file.execute("SELECT what, partition, step FROM stopped")
        self._stopped = {(what, number): int(step) for what, number, step in stops}
        self._awaited: dict[str, list[int]] = {}  # turned off here: where each partition had it before

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
                    if one.offset >= self.next[number]:
                        if not _HOLDS.isdisjoint(one.holds):
                            self._take_all(number, one)
                        self._step[number] += one.count
                self.next[number] = max(self.next[number], records[-1].offset + 1)
            self._file.executemany(
                "INSERT OR REPLACE INTO position VALUES (?, ?, ?)",
                [(number, following, self._step[number]) for number, following in self.next.items()],
            )
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        return self._erased

    def _take_all(self, number: int, message: Incoming) -> None:
        """Take in what a partition's message holds."""
        found = records_of(message.block(self._step[number], -1))
        for ordinal, kind, customer, body in sorted(found, key=lambda one: one[0]):
            if kind == SWITCH:
                self._note_stop(number, self._step[number] + ordinal, body)
            if kind in KINDS and (kind != SWITCH or number == SWITCHES_OF):
                self.take(kind, customer, body)

    def _note_stop(self, number: int, step: int, body: str) -> None:
        said = json.loads(body)
        if said["off"]:
            self._stopped[said["what"], number] = step
            row = (said["what"], number, step)
            self._file.execute("INSERT OR REPLACE INTO stopped VALUES (?, ?, ?)", row)

    def turn(self, what: str, off: bool, reason: str) -> None:
        """Go by a switch from now on, that every partition has. In a sender's life nobody else writes
        switches, so that what it has turned last holds, however far the topic is read."""
        before = [one for one in self._asked if one.what != what]
        self._asked = [*before, Asked(len(before), what, off, reason)]
        if off:
            self._awaited[what] = self._stops(what)

    def know(self, controls: Sequence[Control]) -> None:
        """Go by consents that this sender has just written into the log, before they are read there."""
        for one in controls:
            if one.kind == CONSENT:
                self.take(one.kind, one.customer, one.body)

    def stopped_at(self, partition: int, what: str) -> int:
        """Return the step at which a partition's log last turned something off, as far as it is read; -1
        where it never did."""
        return self._stopped.get((what, partition), -1)

    def on_their_way(self) -> list[str]:
        """Return what was turned off here, and is not read yet in every partition."""
        for what, before in list(self._awaited.items()):
            if all(new > old for new, old in zip(self._stops(what), before, strict=True)):
                del self._awaited[what]
        return list(self._awaited)

    def _stops(self, what: str) -> list[int]:
        return [self.stopped_at(number, what) for number in self.next]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _off_in_log(self) -> Mapping[str, str]:
        return dict(self._file.execute("SELECT what, reason FROM off"))

    def _turn(self, what: str, off: bool, reason: str) -> None:
        if off:
            self._file.execute("INSERT OR REPLACE INTO off VALUES (?, ?)", (what, reason))
        else:
            self._file.execute("DELETE FROM off WHERE what = ?", (what,))

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
