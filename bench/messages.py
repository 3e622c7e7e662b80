"""The stream of `bench.workload` as bytes: Debezium's envelopes (PostgreSQL, JSON without schema, about 480
bytes).

Tables have REPLICA IDENTITY FULL, so that updates and deletes carry the old row; decimals are text, times are
ZonedTimestamp. One topic for each table; the order between them is that of arrival.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.shop import Shop
from bench.workload import DELETE, UPDATE
from engine.batch import Batch
from engine.plan import Plan
from streams.contract.keys import hash128
from streams.contract.source import Column, FileFormat

Ints = NDArray[np.int64]
FIRST_LSN = 24_023_128
CHANGING = ("orders", "refunds", "tickets")  # tables whose rows are updated and deleted; views never are
_OPS = {1: "c", 2: "u", 3: "d"}
# what a table of that kind holds beside the columns that the shop reads, so that a message has its usual size
_BESIDE: dict[str, dict[str, Any]] = {
    "orders": {"channel": "app", "city": "上海", "note": None},
    "refunds": {"order_id": 1_000_001, "reason": "size", "note": None},
    "tickets": {"order_id": 1_000_001, "topic": "delivery", "note": None},
    "views": {"page": "/products/10045", "device": "ios", "session": "3f2b9a7c"},
}


def debezium_shop(shop: Shop) -> Shop:
    """Return a shop whose rows come as change messages with whole-number keys."""
    sources = {
        name: source.model_copy(
            update={
                "format": FileFormat(type="debezium"),
                "columns": {"id": Column(type="int"), **source.columns},
            }
        )
        for name, source in shop.sources.items()
    }  # fmt: skip
    return shop.model_copy(update={"sources": sources})


def members(customers: int) -> list[str]:
    """Return the customers' references, as the tables hold them."""
    return [f"M{number:06}" for number in range(customers)]


def member_ids(customers: int) -> Ints:
    """Return the ids that identity gives them (semantics I1): int64, shape (customers, 2)."""
    high, low = hash128([f"member:{name}" for name in members(customers)])
    return np.stack([high, low], axis=1)


class Messages:
    """Writes batches as messages. texts: the partition's texts by code; remember: the old row of an update
    or a delete is the one that was written before, not one of the same key with values drawn anew (which is
    as long and costs no memory; ours does not read it).
    """

    def __init__(self, plan: Plan, texts: Sequence[str], customers: int, remember: bool = False) -> None:
        self._sources = plan.metric.sources
        self._projection = plan.projection
        self._texts = list(texts)
        self._members = members(customers)
        self._lsn = FIRST_LSN
        self._written_before: dict[tuple[str, int], dict[str, Any]] | None = {} if remember else None

    def of(self, batch: Batch) -> list[bytes]:
        """Return one message for each record."""
        kinds = zip(batch.op.tolist(), batch.source.tolist(), strict=True)
        return [self._message(batch, at, op, self._sources[source]) for at, (op, source) in enumerate(kinds)]

    def _message(self, batch: Batch, at: int, op: int, table: str) -> bytes:
        row = self._row(batch, at, table)
        old = self._old(op, table, row)
        self._lsn += 56
        ms = int(batch.minute[at]) * 60_000
        block = {
            "version": "3.7.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": ms,
            "snapshot": "false", "db": "shop", "sequence": f'["{self._lsn - 9}","{self._lsn}"]',
            "schema": "public", "table": table, "txId": 555 + at, "lsn": self._lsn, "xmin": None,
        }  # fmt: skip
        envelope = {
            "before": old, "after": None if op == DELETE else row,
            "source": block, "op": _OPS[op], "ts_ms": ms + 123, "transaction": None,
        }  # fmt: skip
        return msgspec.json.encode(envelope)

    def _old(self, op: int, table: str, row: dict[str, Any]) -> dict[str, Any] | None:
        held, place = self._written_before, (table, row["id"])
        if held is None or table not in CHANGING:
            return row if op in (UPDATE, DELETE) else None
        old = held.pop(place) if op in (UPDATE, DELETE) else None
        if op != DELETE:
            held[place] = row
        return old

    def _row(self, batch: Batch, at: int, table: str) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": int(batch.key_low[at]),
            "member_id": self._members[int(batch.arg_a[at])],
        }
        _, columns = self._projection[table]
        for place, name in enumerate(columns):
            value = int(batch.values[at, place])
            row[name] = self._written(name, value)
        moment = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=int(batch.event_us[at]))
        return {**row, **_BESIDE[table], "at": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}

    def _written(self, name: str, value: int) -> object:
        if name == "amount":
            return f"{value // 100}.{value % 100:02}"
        return self._texts[value] if name in ("status", "category") else value
