"""How far a connector is behind its database: bytes of its log, and seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.debezium.connectors import Connectors
from streams.debezium.database import Database, open_database
from streams.debezium.files import ConnectorFile


@dataclass(frozen=True)
class Position:
    """The last position that Connect has kept, None before the first.

    behind_bytes: of the database's log, from there to its end; age_s: how long ago the change there was made.
    Heartbeats that write keep both small in silence.
    """

    at: str | None
    behind_bytes: int | None
    age_s: float | None


def position_of(connectors: Connectors, file: ConnectorFile, environment: Mapping[str, str]) -> Position:
    """Return it; Connect keeps one every few seconds. Raises InputError where the database refuses."""
    if connectors.config(file.name) is None:
        return Position(None, None, None)
    kept = [one["offset"] for one in connectors.offsets(file.name) if one["offset"]]
    if not kept:
        return Position(None, None, None)
    offset: dict[str, Any] = kept[0]
    with open_database(file, environment) as database:
        return _postgres(database, offset) if file.is_postgres else _mariadb(database, offset)


def _postgres(database: Database, offset: dict[str, Any]) -> Position:
    lsn = int(offset["lsn"])
    text = f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
    ((behind,),) = database.rows("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s::pg_lsn)", text)
    at_us = offset.get("ts_usec")
    return Position(text, max(0, int(behind)), None if at_us is None else _age(int(at_us) / 1e6))


def _mariadb(database: Database, offset: dict[str, Any]) -> Position:
    file, place = str(offset["file"]), int(offset["pos"])
    sizes = {str(row[0]): int(row[1]) for row in database.rows("SHOW BINARY LOGS")}
    behind = sum(size for name, size in sizes.items() if name >= file) - place if file in sizes else None
    at_s = offset.get("ts_sec")
    return Position(f"{file}:{place}", behind, None if at_s is None else _age(float(at_s)))


def _age(at_s: float) -> float:
    return max(0.0, time.time() - at_s)
