"""The ledger of deliveries: every decision once, claimed on disk before anything is sent (semantics P5)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.outcome import Decision

FILE_NAME = "deliveries.sqlite"
CLAIMED, SENT, HELD_BACK, NOTHING = "claimed", "sent", "held back", "nothing to send"
_TABLES = """
CREATE TABLE IF NOT EXISTS drained (
    relay TEXT, partition INTEGER, effects INTEGER, PRIMARY KEY (relay, partition)
);
CREATE TABLE IF NOT EXISTS decision (
    number INTEGER PRIMARY KEY, partition INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
    outcome TEXT NOT NULL, customer TEXT NOT NULL, state TEXT NOT NULL, detail TEXT, body BLOB NOT NULL,
    UNIQUE (id, outcome)
);
CREATE INDEX IF NOT EXISTS decision_customer ON decision (customer, number);
CREATE INDEX IF NOT EXISTS decision_claimed ON decision (state) WHERE state = 'claimed';
"""


@dataclass(frozen=True)
class Entry:
    """One decision and its state: claimed, sent, held back, or nothing to send. number: from 1, a cursor."""

    number: int
    decision: Decision
    state: str
    detail: str | None


class Ledger:
    """One writer (the process that owns the shop); others may open it with ``write=False`` to look."""

    def __init__(self, folder: Path, write: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if write:
            self._connection.executescript(_TABLES)

    def drained(self, relay: str, partitions: int) -> list[int]:
        """Return for each partition how many effects the relay has taken over."""
        query = "SELECT partition, effects FROM drained WHERE relay = ?"
        found = dict(self._connection.execute(query, (relay,)).fetchall())
        return [found.get(partition, 0) for partition in range(partitions)]

    def take(self, relay: str, partition: int, made: Sequence[Decision], effects: int) -> list[Decision]:
        """Write decisions down, claim those to act upon, and note that ``effects`` are drained: on disk, all
        or nothing. Return those claimed now: they are to be sent, by this process, once.
        """
        claimed: list[Decision] = []
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for one in made:
                acts = one.outcome == "act" and one.status == "live"
                done = self._connection.execute(
                    "INSERT OR IGNORE INTO decision (partition, seq, id, outcome, customer, state, body) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (partition, one.seq, one.id, one.outcome, one.customer, CLAIMED if acts else NOTHING,
                     msgspec.json.encode(one)),
                )  # fmt: skip
                if done.rowcount and acts:
                    claimed.append(one)
            self._connection.execute(
                "INSERT OR REPLACE INTO drained VALUES (?, ?, ?)", (relay, partition, effects)
            )
        except BaseException:  # also Ctrl-C: nothing half written may stay
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return claimed

    def settle(self, decision: str, state: str, detail: str | None = None) -> None:
        """Say what became of a claimed decision."""
        self._connection.execute(
            "UPDATE decision SET state = ?, detail = ? WHERE id = ? AND state = ?",
            (state, detail, decision, CLAIMED),
        )

    def after(self, number: int, limit: int, customer: str | None = None) -> list[Entry]:
        """Return up to ``limit`` decisions behind a cursor, in the order in which they were written."""
        query = "SELECT number, body, state, detail FROM decision WHERE number > ?"
        values: list[object] = [number]
        if customer is not None:
            query, values = query + " AND customer = ?", [number, customer]
        found = self._connection.execute(query + " ORDER BY number LIMIT ?", (*values, limit))
        return [
            Entry(at, msgspec.json.decode(body, type=Decision), state, detail)
            for at, body, state, detail in found
        ]

    def unknown(self) -> int:
        """Return how many are claimed without an end: sent or not, nobody knows (never sent again)."""
        found = self._connection.execute("SELECT count(*) FROM decision WHERE state = ?", (CLAIMED,))
        return int(found.fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
