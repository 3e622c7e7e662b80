"""Every look at every connector; what cannot be looked at is a finding too, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streams.debezium.connectors import Connectors
from streams.debezium.database import open_database
from streams.debezium.doctor.finding import Finding, matches
from streams.debezium.doctor.machine import (
    Clock,
    look_at_connect_clock,
    look_at_database_clock,
    look_at_packages,
)
from streams.debezium.doctor.mariadb import look_at_mariadb
from streams.debezium.doctor.postgres import look_at_postgres, look_at_slots
from streams.debezium.doctor.running import (
    look_at_running,
    look_for_heartbeats,
    look_for_snapshots,
    without_a_file,
)
from streams.debezium.doctor.settings import look_at_settings
from streams.debezium.doctor.topics import look_at_topics
from streams.debezium.files import ConnectorFile
from streams.errors import InputError

RETAINED_LIMIT = 1_000_000_000  # bytes; a quarter of what deploy/postgres lets a slot hold back


@dataclass(frozen=True)
class Feeds:
    """What is to be looked at. ``tables``: database table to the source that declares it."""

    files: dict[str, ConnectorFile]
    connectors: Connectors
    bootstrap: str
    environment: Mapping[str, str]
    tables: Mapping[str, str]
    retained_limit: int = RETAINED_LIMIT
    clock: Clock = time.time


def examine(feeds: Feeds) -> list[Finding]:
    """Return all that is wrong, connector by connector."""
    found = [*look_at_packages(), *_tables(feeds)]
    found += _look(
        feeds.connectors.rest.url, lambda: look_at_connect_clock(feeds.connectors.rest, feeds.clock)
    )
    for file in feeds.files.values():
        found += _one(feeds, file)
    return found + _look("Kafka Connect", lambda: without_a_file(feeds.connectors, feeds.files))


def _one(feeds: Feeds, file: ConnectorFile) -> list[Finding]:
    found = look_at_settings(file)
    found += _look(file.name, lambda: look_at_running(feeds.connectors, file))
    found += _look(file.name, lambda: look_for_heartbeats(feeds.connectors, file, feeds.bootstrap))
    found += _look(file.name, lambda: look_for_snapshots(file, feeds.bootstrap))
    found += _look(file.name, lambda: look_at_topics(file, feeds.bootstrap))
    return found + _look(file.name, lambda: _database(feeds, file))


def _database(feeds: Feeds, file: ConnectorFile) -> list[Finding]:
    slots = {one.config.get("slot.name", "debezium") for one in feeds.files.values()}
    with open_database(file, feeds.environment) as database:
        found = look_at_database_clock(database, file, feeds.clock)
        if file.is_postgres:
            found += look_at_postgres(database, file)
            return found + look_at_slots(database, file, slots, feeds.retained_limit)
        return found + look_at_mariadb(database, file)


def _tables(feeds: Feeds) -> list[Finding]:
    """Look for sources whose table no connector is to read."""
    patterns = [pattern for file in feeds.files.values() for pattern in file.list("table.include.list")]
    reads_all = any(not file.list("table.include.list") for file in feeds.files.values())
    return [
        Finding(
            "sources", source, f"no connector file names its table {table}", "the source stays empty",
            f"add {table} to table.include.list of a connector file, and to its publication",
        )
        for table, source in sorted(feeds.tables.items())
        if not reads_all and not matches(patterns, table)
    ]  # fmt: skip


def _look(where: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except InputError as error:
        cost = "what hangs on it was not looked at"
        return [Finding("unreachable", where, f"{error.where}: {error.problem}", cost, error.hint)]
