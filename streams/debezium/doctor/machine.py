"""This machine: its clock against the others', and what its Kafka client lacks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from streams.debezium.database import Database
from streams.debezium.doctor.finding import Finding
from streams.debezium.files import ConnectorFile
from streams.debezium.rest import ConnectRest

SKEW_S = (
    5.0  # a minute is the unit of all that is decided: this is far below, and far above a network's delay
)
Clock = Callable[[], float]


def look_at_database_clock(database: Database, file: ConnectorFile, clock: Clock) -> list[Finding]:
    """Compare the database's clock with this machine's."""
    sql = (
        "SELECT extract(epoch FROM clock_timestamp())"
        if file.is_postgres
        else "SELECT unix_timestamp(now(6))"
    )
    ((there,),) = database.rows(sql)
    return _skew(f"the database of {file.name}", float(there) - clock())


def look_at_connect_clock(rest: ConnectRest, clock: Clock) -> list[Finding]:
    """Compare the clock of the Connect worker that answers with this machine's."""
    there = rest.clock()
    return [] if there is None else _skew(f"Kafka Connect at {rest.url}", there - clock())


def _skew(who: str, seconds: float) -> list[Finding]:
    if abs(seconds) <= SKEW_S:
        return []
    way = "ahead of" if seconds > 0 else "behind"
    cost = "rows come late or from the future, lag and staleness are wrong by as much"
    return [
        Finding(
            "clock",
            who,
            f"it is {abs(seconds):.0f} s {way} this machine",
            cost,
            "let both keep time by NTP: chronyc tracking",
        )
    ]


def look_at_packages() -> list[Finding]:
    """Look for the package without which kafka-python is many times slower."""
    if importlib.util.find_spec("crc32c") is not None:
        return []
    cost = "kafka-python checks messages in pure Python: 63 microseconds each instead of 7.5"
    return [Finding("packages", "crc32c", "it is not installed", cost, "make setup")]
