"""The file of the ledger: its tables, and how a file of a former version becomes one of this."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sinks.coupons.tables import COUPON_TABLES
from sinks.deliveries.answering import ANSWERS
from sinks.deliveries.gone import TABLE as GONE
from sinks.deliveries.left import LEFT
from sinks.deliveries.pace import PLACES
from sinks.deliveries.pausing import PAUSES
from sinks.deliveries.shadowed import SHADOWS

FILE_NAME = "deliveries.sqlite"
NOTHING = "nothing to send"  # of decisions that are not to act upon
_VERSION = 3
# Behind a replay that fails the log is told nothing: the message was there before, and its slots are taken.
# `delivery` has no text and no address: messages are made when they are claimed (docs/decisions/0023).
_TABLES = """
CREATE TABLE IF NOT EXISTS drained (
    relay TEXT, partition INTEGER, effects INTEGER, PRIMARY KEY (relay, partition)
);
CREATE TABLE IF NOT EXISTS decision (
    number INTEGER PRIMARY KEY, partition INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
    outcome TEXT NOT NULL, customer TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (id, outcome)
);
CREATE INDEX IF NOT EXISTS decision_customer ON decision (customer, number);
CREATE INDEX IF NOT EXISTS decision_shadow ON decision (json_extract(CAST(body AS TEXT), '$.trigger'))
WHERE json_extract(CAST(body AS TEXT), '$.status') = 'shadow';
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY, state TEXT NOT NULL, channel TEXT NOT NULL, trigger TEXT NOT NULL,
    template TEXT NOT NULL, purpose TEXT NOT NULL, priority INTEGER NOT NULL, turn INTEGER NOT NULL,
    decided REAL NOT NULL, lasts REAL NOT NULL, expires REAL NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL, parts INTEGER NOT NULL, changed REAL NOT NULL, reason TEXT NOT NULL,
    changes INTEGER NOT NULL DEFAULT 0, pace TEXT NOT NULL DEFAULT '', paused REAL,
    quiet TEXT NOT NULL DEFAULT '', caps TEXT NOT NULL DEFAULT ''
);
DROP INDEX IF EXISTS delivery_queue;
DROP INDEX IF EXISTS delivery_expires;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (channel, turn, priority, due)
WHERE state = 'queued' AND paused IS NULL;
CREATE INDEX IF NOT EXISTS delivery_late ON delivery (expires) WHERE state = 'queued' AND paused IS NULL;
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state, number);
CREATE INDEX IF NOT EXISTS delivery_trigger ON delivery (trigger, decided);
CREATE TABLE IF NOT EXISTS attempt (
    number INTEGER, attempt INTEGER, provider TEXT NOT NULL, claimed REAL NOT NULL, ended REAL,
    outcome TEXT NOT NULL, reference TEXT, parts INTEGER, code TEXT NOT NULL, reason TEXT NOT NULL,
    receipt TEXT, receipt_at REAL, receipt_code TEXT, PRIMARY KEY (number, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempt_claimed ON attempt (provider, claimed);
CREATE INDEX IF NOT EXISTS attempt_reference ON attempt (provider, reference) WHERE reference IS NOT NULL;
CREATE TABLE IF NOT EXISTS receipt (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL, at REAL,
    code TEXT NOT NULL, reason TEXT NOT NULL, came REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS receipt_reference ON receipt (provider, reference);
CREATE TABLE IF NOT EXISTS by_hand (
    id INTEGER PRIMARY KEY, number INTEGER NOT NULL, at REAL NOT NULL, act TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_hand_number ON by_hand (number);
CREATE TABLE IF NOT EXISTS switch (
    number INTEGER PRIMARY KEY, what TEXT NOT NULL, off INTEGER NOT NULL, reason TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS click (
    number INTEGER PRIMARY KEY, first REAL NOT NULL, last REAL NOT NULL, times INTEGER NOT NULL,
    told INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS click_untold ON click (number) WHERE told = 0;
CREATE TABLE IF NOT EXISTS off (what TEXT PRIMARY KEY, reason TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS delivery_change (
    number INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, change INTEGER NOT NULL, state TEXT NOT NULL,
    at REAL NOT NULL, attempt INTEGER NOT NULL, provider TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tag_change (
    number INTEGER PRIMARY KEY, changes INTEGER NOT NULL, minute INTEGER NOT NULL, size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS ended (number INTEGER PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS arrived (number INTEGER PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS delivery_arrives AFTER UPDATE OF state ON delivery
WHEN NEW.state = 'delivered' AND OLD.state <> 'delivered'
BEGIN
    INSERT OR IGNORE INTO arrived VALUES (NEW.number);
    DELETE FROM ended WHERE number = NEW.number;
END;
DROP TRIGGER IF EXISTS delivery_ends;
CREATE TRIGGER IF NOT EXISTS delivery_fails AFTER UPDATE OF state ON delivery
WHEN NEW.state IN ('failed', 'expired', 'held back') AND OLD.state NOT IN ('failed', 'expired', 'held back')
AND NOT EXISTS (
    SELECT 1 FROM attempt
    WHERE number = NEW.number AND outcome = 'accepted' AND coalesce(receipt, '') <> 'failed'
)
BEGIN INSERT OR REPLACE INTO ended VALUES (NEW.number, NEW.state); END;
CREATE TRIGGER IF NOT EXISTS delivery_never_begins AFTER INSERT ON delivery WHEN NEW.state = 'held back'
BEGIN INSERT OR REPLACE INTO ended VALUES (NEW.number, NEW.state); END;
"""
# A decision had its state beside it; what was claimed without an end is unknown, of whatever purpose.
_FROM_FORMER = """
INSERT INTO delivery
SELECT number, CASE state WHEN 'claimed' THEN 'unknown' ELSE state END, '',
    json_extract(CAST(body AS TEXT), '$.trigger'), '', 'marketing', 0, 0,
    60.0 * json_extract(CAST(body AS TEXT), '$.minute'), 86400.0,
    60.0 * json_extract(CAST(body AS TEXT), '$.minute') + 86400.0,
    60.0 * json_extract(CAST(body AS TEXT), '$.minute'), 0, 0,
    60.0 * json_extract(CAST(body AS TEXT), '$.minute'), coalesce(detail, ''), 0, '', NULL, '', ''
FROM decision WHERE state <> 'nothing to send';
DROP INDEX decision_claimed;
ALTER TABLE decision DROP COLUMN state;
ALTER TABLE decision DROP COLUMN detail;
"""
# Changes of state are told from here on; those before had no number.
_COUNTED = "ALTER TABLE delivery ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;"
_PACED = """
ALTER TABLE delivery ADD COLUMN pace TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN paused REAL;
"""
_HUSHED = "ALTER TABLE delivery ADD COLUMN quiet TEXT NOT NULL DEFAULT '';"
_CAPPED = "ALTER TABLE delivery ADD COLUMN caps TEXT NOT NULL DEFAULT '';"
_REASONED = "ALTER TABLE off ADD COLUMN reason TEXT NOT NULL DEFAULT '';"


def connect(folder: Path, write: bool) -> sqlite3.Connection:
    """Open the ledger of a folder; make its tables if it may write. A commit is on disk when it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / FILE_NAME, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if write:
        _make(connection)
    return connection


def _make(connection: sqlite3.Connection) -> None:
    former = _columns(connection, "decision")
    steps = _TABLES + ANSWERS + PLACES + PAUSES + GONE + LEFT + SHADOWS + COUPON_TABLES
    steps += _FROM_FORMER if "state" in former else ""
    found = _columns(connection, "delivery") or {"changes", "pace", "quiet", "caps"}
    if "caps" not in found:
        steps = _CAPPED + steps
    if "quiet" not in found:
        steps = _HUSHED + steps
    if "pace" not in found:
        steps = _PACED + steps
    if "changes" not in found:
        steps = _COUNTED + steps
    if "reason" not in (_columns(connection, "off") or {"reason"}):
        steps = _REASONED + steps
    connection.executescript(f"BEGIN IMMEDIATE;{steps}PRAGMA user_version = {_VERSION};COMMIT;")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
