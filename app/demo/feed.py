"""The simulated shop's change feed: what Debezium writes when its database changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from app.demo.lives import Change
from app.shop import Shop
from streams.message import Message

_OPERATIONS = {"insert": "c", "update": "u", "delete": "d"}


class Feed:
    """Writes changes as messages of Debezium's PostgreSQL connector, without schemas.

    Every change has a log sequence number of its own, which goes on from ``lsn``. Heartbeats tell a quiet
    table from a dead feed, as with ``heartbeat.interval.ms=60000``.
    """

    def __init__(self, shop: Shop, lsn: int = 1_000_000) -> None:
        self._keys = {name: source.key for name, source in shop.sources.items()}
        self._lsn = lsn
        self._known: set[tuple[str, ...]] = set()

    def messages(self, changes: Iterable[Change]) -> list[Message]:
        """Return one message for each change, in their order."""
        return [self._message(change) for change in changes]

    def heartbeats(self, minute: int) -> list[Message]:
        """Return the heartbeat of each table's topic, written at an epoch minute."""
        body = msgspec.json.encode({"ts_ms": minute * 60_000})
        return [Message(name, f"heartbeat.shop.{name}/0/{minute}", body) for name in sorted(self._keys)]

    def _message(self, change: Change) -> Message:
        self._lsn += 120  # the bytes of a small row in the database's log
        key = {name: change.row[name] for name in self._keys[change.source]}
        operation = self._operation(change, key)
        row = dict(change.row)
        at_ms = change.minute * 60_000
        body = {
            "before": row if operation == "d" else None,
            "after": None if operation == "d" else row,
            "source": {
                "version": "3.7.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": at_ms,
                "snapshot": "false", "db": "shop", "schema": "public", "table": change.source,
                "txId": self._lsn // 120, "lsn": self._lsn,
            },
            "op": operation, "ts_ms": at_ms + 40,
        }  # fmt: skip
        place = f"shop.public.{change.source}/0/{self._lsn}"
        return Message(change.source, place, msgspec.json.encode(body), msgspec.json.encode(key))

    def _operation(self, change: Change, key: Mapping[str, object]) -> str:
        """Return Debezium's letter; of a change that does not say, by whether its row was seen before."""
        row = (change.source, *map(str, key.values()))
        known = row in self._known
        self._known.add(row)
        return _OPERATIONS.get(change.operation, "u" if known else "c")
