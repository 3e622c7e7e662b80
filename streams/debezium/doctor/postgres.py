"""PostgreSQL's side: replica identity, keys, publication, replication slots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streams.debezium.database import Database
from streams.debezium.doctor.finding import Finding, included, matches
from streams.debezium.files import ConnectorFile

TABLES = """
SELECT n.nspname || '.' || c.relname, c.relreplident::text,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
"""
SLOTS = """
SELECT slot_name, active, coalesce(wal_status, ''), pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)
FROM pg_replication_slots WHERE slot_type = 'logical' AND database = current_database() ORDER BY 1
"""


@dataclass(frozen=True)
class Table:
    """A table: its replica identity (f: the whole row), and whether it has a primary key."""

    name: str
    identity: str
    has_key: bool


def look_at_postgres(database: Database, file: ConnectorFile) -> list[Finding]:
    """Look at the tables that a connector reads and at its publication."""
    tables = [Table(*row) for row in database.rows(TABLES)]
    read = set(included(file, [one.name for one in tables]))
    mine = [one for one in tables if one.name in read]
    return [
        *_absent(file, [one.name for one in tables]), *_identity(mine), *_keys(file, mine),
        *_publication(database, file, sorted(read)),
    ]  # fmt: skip


def _absent(file: ConnectorFile, there: list[str]) -> list[Finding]:
    return [
        Finding(
            "tables", pattern, f"{file.name} is to read it, and the database has no such table",
            "none of its rows will ever come",
            f"correct table.include.list in {file.where}, or make the table",
        )
        for pattern in file.list("table.include.list")
        if not any(matches([pattern], name) for name in there)
    ]  # fmt: skip


def _identity(tables: list[Table]) -> list[Finding]:
    cost = "an update has no row before it and lacks large unchanged values; a delete has its key only"
    return [
        Finding(
            "replica-identity", one.name, "its replica identity is not FULL", cost,
            f"psql: ALTER TABLE {one.name} REPLICA IDENTITY FULL",
        )
        for one in tables
        if one.identity != "f"
    ]  # fmt: skip


def _keys(file: ConnectorFile, tables: list[Table]) -> list[Finding]:
    named = file.config.get("message.key.columns", "")
    return [no_key(file, one.name) for one in tables if not one.has_key and f"{one.name}:" not in named]


def no_key(file: ConnectorFile, table: str) -> Finding:
    """Return the finding of a table without a primary key."""
    cost = "its messages have no key: changes of one row go to any partition and overtake each other"
    mend = f'give it a primary key, or write "message.key.columns": "{table}:COLUMN" into {file.where}'
    return Finding("keys", table, "it has no primary key", cost, mend)


def _publication(database: Database, file: ConnectorFile, read: list[str]) -> list[Finding]:
    name = file.config.get("publication.name", "dbz_publication")
    if file.config.get("plugin.name", "decoderbufs") != "pgoutput":
        return []
    found = database.rows("SELECT puballtables FROM pg_publication WHERE pubname = %s", name)
    if not found:
        if file.config.get("publication.autocreate.mode", "all_tables") != "disabled":
            return []
        mend = f"psql: CREATE PUBLICATION {name} FOR TABLE {', '.join(read)}"
        return [
            Finding("publication", name, "there is no such publication", "the connector cannot start", mend)
        ]
    rows = database.rows(
        "SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = %s", name
    )
    published = {row[0] for row in rows}
    needed = set(read) | set(file.list("signal.data.collection"))
    lacking = [
        Finding(
            "publication", table, f"the publication {name} lacks it",
            "a snapshot of it may come, and none of its changes",
            f"psql: ALTER PUBLICATION {name} ADD TABLE {table}",
        )
        for table in sorted(needed - published)
    ]  # fmt: skip
    beats = file.config.get("heartbeat.action.query", "")
    beyond = [table for table in sorted(published - needed) if table.split(".")[1] not in beats]
    return lacking + [
        Finding(
            "publication", table, f"the publication {name} has it, and {file.name} does not read it",
            "its changes are sent and thrown away", f"psql: ALTER PUBLICATION {name} DROP TABLE {table}",
        )
        for table in beyond
    ]  # fmt: skip


def look_at_slots(
    database: Database, file: ConnectorFile, known: Iterable[str], retained_limit: int
) -> list[Finding]:
    """Look at the slots of a connector's database; ``known`` are those of all files, the limit in bytes."""
    found = []
    mine = file.config.get("slot.name", "debezium")
    for name, active, status, retained in database.rows(SLOTS):
        drop = f"psql: SELECT pg_drop_replication_slot('{name}')"
        held = f"{int(retained or 0) / 1e6:,.0f} MB of the write-ahead log"
        again = f"tintype connectors SHOP restart {file.name}"
        if name not in known:
            cost = f"it holds back {held}, and more every day, until the disk is full"
            found.append(Finding("slots", name, "no connector file has this slot", cost, drop))
        elif name == mine and status == "lost":
            cost = "the changes since then are gone: it takes a new slot, a new epoch and a new snapshot"
            found.append(Finding("slots", name, "the database has given this slot up", cost, drop))
        elif name == mine and int(retained or 0) > retained_limit:
            cost = "the disk fills; past max_slot_wal_keep_size the slot is lost, and with it the changes"
            found.append(Finding("slots", name, f"it holds back {held}", cost, again))
        elif name == mine and not active:
            cost = f"nothing is read; it holds back {held}, and more with each change"
            found.append(Finding("slots", name, "no connector reads this slot", cost, again))
    return found
