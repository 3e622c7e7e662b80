"""The peers' decoding: msgspec into typed structs, the fastest there is for Python."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
COLUMNS = {
    "orders": ("amount", "status", "category"), "refunds": ("amount",), "tickets": ("score",),
    "views": ("category", "seconds"),
}  # fmt: skip


class Row(msgspec.Struct, gc=False):
    """The columns of all four tables that the shop reads."""

    id: int
    member_id: str
    at: dt.datetime
    amount: str | None = None
    status: str | None = None
    category: str | None = None
    score: int | None = None
    seconds: int | None = None


class Block(msgspec.Struct, gc=False):
    """Debezium's source."""

    table: str
    lsn: int
    ts_ms: int


class Envelope(msgspec.Struct, gc=False):
    """Debezium's envelope."""

    op: str
    source: Block
    before: Row | None = None
    after: Row | None = None


_read = msgspec.json.Decoder(Envelope).decode


def change_of(message: bytes) -> tuple[str, tuple[int, str, str, int, int, int, list[Any]]]:
    """Return (member, (minute, op, table, key, position, event time in us, columns))."""
    envelope = _read(message)
    row = envelope.after or envelope.before
    assert row is not None
    block = envelope.source
    columns: list[Any]
    table = block.table
    if table == "views":
        columns = [row.category, row.seconds]
    elif table == "orders":
        columns = [_minor(row.amount), row.status, row.category]
    elif table == "refunds":
        columns = [_minor(row.amount)]
    else:
        columns = [row.score]
    event_us = (row.at - _EPOCH) // _MICROSECOND
    return row.member_id, (block.ts_ms // 60_000, envelope.op, table, row.id, block.lsn, event_us, columns)


def _minor(amount: str | None) -> int:
    assert amount is not None
    return int(amount.replace(".", ""))  # two digits behind the point, always
