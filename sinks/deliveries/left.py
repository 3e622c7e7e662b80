"""A ledger that was carried over into another shop's: it gives nothing out any more (docs/cluster.md)."""

from __future__ import annotations

import sqlite3

# linked: names of shops whose short links lead on here, with what they were signed with (`sinks.links`).
LEFT = """
CREATE TABLE IF NOT EXISTS left_to (
    one INTEGER PRIMARY KEY CHECK (one = 1), shop TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS linked (shop TEXT, key TEXT, PRIMARY KEY (shop, key)) WITHOUT ROWID;
"""
IS_HERE = "NOT EXISTS (SELECT 1 FROM left_to)"  # of what waits, that it is this ledger's to give out


def left_to(connection: sqlite3.Connection) -> str | None:
    """Return the shop that sends what waited here; None while this one does."""
    found = connection.execute("SELECT shop FROM left_to").fetchone()
    return None if found is None else str(found[0])
