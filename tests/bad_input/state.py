"""What a log holds beside its dead letters, to see that bad input changed nothing else."""

from __future__ import annotations

from typing import Any

from streams.log.log import Log

TABLES = ("block", "reference", "row", "parked", "request")


def state_of(log: Log) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the log's tables but the dead letters."""
    return {name: log.connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
