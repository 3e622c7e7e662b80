"""Which table a message is about, and whether it is the source's."""

from __future__ import annotations

from typing import Any

from streams.cdc.change import Refused
from streams.cdc.positions import SourceBlock, whole

_LATEST_MS = 7_258_118_400_000  # 2200-01-01, as in contract/moments.py
# Debezium names a table with its database and its schema where one connector reads several databases.
_MOST_TABLES = 10_000
_THREE_PARTS = ("sqlserver", "informix")


def table_name(block: SourceBlock) -> str:
    """Return the table as the database names it; empty where the message does not say."""
    table = block.table or block.collection
    if not table:
        return ""
    if block.schema:
        name = f"{block.schema}.{table}"
        return f"{block.db}.{name}" if block.connector in _THREE_PARTS and block.db else name
    space = block.keyspace or block.db
    return f"{space}.{table}" if space else table


class Tables:
    """Tells the source's own table from others in the same topic."""

    def __init__(self, own: str | None) -> None:
        self._own = own
        self._names: dict[tuple[str | None, ...], str | None] = {}

    def name(self, block: SourceBlock) -> str | None:
        """Return the table's name, None for another than the source's. Raises Refused like ``is_own``."""
        parts = (block.connector, block.db, block.keyspace, block.schema, block.table, block.collection)
        if parts in self._names:
            return self._names[parts]
        name = table_name(block)
        told = name if self.is_own(name) else None
        if len(self._names) < _MOST_TABLES:
            self._names[parts] = told
        return told

    def is_own(self, table: str) -> bool:
        """Say whether a row of this table is the source's. Raises Refused where that cannot be told."""
        if self._own is None or table == self._own or table.endswith(f".{self._own}"):
            return True
        if not table:
            raise Refused(
                "the message names no table, and the source is one of several",
                "remove format.table, or let the messages say it (add.fields=db,table)",
            )
        return False


def event_ms(value: Any) -> int | None:
    """Return the database's time of a change in ms since 1970, None where it is absent or absurd."""
    ms = value if type(value) is int else whole(value)
    return ms if ms is not None and 0 < ms < _LATEST_MS else None
