"""Decisions in shadow as counts: all that is asked of them, without keeping each (docs/decisions/0031)."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from engine.outcome import Decision
from sinks.deliveries.records import Shadowed

SHADOWS = """
CREATE TABLE IF NOT EXISTS shadow_count (
    trigger TEXT, version TEXT, outcome TEXT, guard TEXT, decisions INTEGER NOT NULL,
    PRIMARY KEY (trigger, version, outcome, guard)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shadow_minute (
    trigger TEXT, version TEXT, minute INTEGER, acts INTEGER NOT NULL, PRIMARY KEY (trigger, version, minute)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shadow_customer (
    trigger TEXT, version TEXT, customer TEXT, PRIMARY KEY (trigger, version, customer)
) WITHOUT ROWID;
"""
_COUNT = (
    "INSERT INTO shadow_count VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
    "SET decisions = decisions + excluded.decisions"
)
_MINUTE = (
    "INSERT INTO shadow_minute VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET acts = acts + excluded.acts"
)
_NEW = (
    "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM shadow_customer "
    "WHERE trigger = ? AND version = ? AND customer = value) ORDER BY value"
)


def counted(connection: sqlite3.Connection, made: Sequence[Decision]) -> Shadowed | None:
    """Return the counts of decisions in shadow as a record of a ledger, of the customers those that it has
    not yet. None where there are no decisions."""
    if not made:
        return None
    acts = [one for one in made if one.outcome == "act"]
    counts = Counter((one.trigger, one.version, one.outcome, one.guard) for one in made)
    minutes = Counter((one.trigger, one.version, one.minute) for one in acts)
    customers: dict[tuple[str, str], set[str]] = {}
    for one in acts:
        customers.setdefault((one.trigger, one.version), set()).add(one.customer)
    found = [
        (*rule, [one for (one,) in connection.execute(_NEW, (json.dumps(sorted(whom)), *rule))])
        for rule, whom in sorted(customers.items())
    ]
    return Shadowed(
        [(*key, number) for key, number in sorted(counts.items())],
        [(*key, number) for key, number in sorted(minutes.items())], [one for one in found if one[2]],
    )  # fmt: skip


def post_shadowed(connection: sqlite3.Connection, one: Shadowed) -> None:
    """Add counts to those that there are, inside the caller's transaction."""
    connection.executemany(_COUNT, one.counts)
    connection.executemany(_MINUTE, one.minutes)
    connection.executemany(
        "INSERT OR IGNORE INTO shadow_customer VALUES (?, ?, ?)",
        [(trigger, version, each) for trigger, version, whom in one.customers for each in whom],
    )
