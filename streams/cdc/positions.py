"""Positions of changes: one int64 of what each database's log says.

Semantics W1 compares two positions of one row only. A second transaction changes a row after the first one
that holds its lock has ended, so an order of log records serves as well as an order of commits. It does
not serve for the rows of an initial snapshot: a transaction that was open when the snapshot was taken is not
in it, and is streamed with a smaller log position. So snapshot rows have a position only where the log
itself is in the order of commits (MySQL, MariaDB, MongoDB); elsewhere the topic's order decides (W2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Position = tuple[int | None, bool]  # the position, and whether it is exact
UNKNOWN: Position = (None, False)
_LARGEST = 2**63 - 1


class SourceBlock(msgspec.Struct, gc=False):
    """The ``source`` of Debezium's messages: what is needed of it, whatever the connector."""

    connector: str | None = None
    ts_ms: Any = None
    snapshot: Any = None
    db: str | None = None
    schema: str | None = None
    table: str | None = None
    collection: str | None = None
    keyspace: str | None = None
    lsn: Any = None
    file: Any = None
    pos: Any = None
    row: Any = None
    change_lsn: Any = None
    event_serial_no: Any = None
    scn: Any = None
    ord: Any = None
    txnNumber: Any = None  # MongoDB's name


def is_snapshot(block: SourceBlock) -> bool:
    """Say whether the row was read by a snapshot of any kind."""
    return block.snapshot not in (None, False, "false")


def position_of(block: SourceBlock, snapshot: bool) -> Position:
    """Return the position of a change; snapshot: the row was read, not changed."""
    if block.snapshot == "incremental":
        return UNKNOWN
    read = _OF_CONNECTOR.get(block.connector or "") or _by_fields(block)
    if read is None or (snapshot and read not in _ORDERED_BY_COMMIT):
        return UNKNOWN
    return read(block)


def whole(value: Any) -> int | None:
    """Return a number that is not negative and fits int64, written as number or digits, or None."""
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else None
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 20:
        return whole(int(value))
    return None


def binlog_position(file: Any, pos: Any, row: Any) -> Position:
    """Return file number, byte in the file and row of the event as one number.

    The row's number is added to the event's first byte: each row takes at least a byte of its event, so
    the sum stays below the next event's first byte.
    """
    if type(file) is not str:
        return UNKNOWN
    number, byte, line = whole(file.rpartition(".")[2]), whole(pos), whole(row)
    if number is None or byte is None or byte == 0 or byte >= 2**32 or number >= 2**31:
        return UNKNOWN
    return (number << 32) + byte + (line or 0), line is not None


def _binlog(block: SourceBlock) -> Position:
    return binlog_position(block.file, block.pos, block.row)


def _lsn(block: SourceBlock) -> Position:
    """PostgreSQL: the log position of the change itself."""
    lsn = whole(block.lsn)
    return lsn, lsn is not None


def _scn(block: SourceBlock) -> Position:
    """Oracle: changes of one transaction may share a system change number."""
    return whole(block.scn), False


def _change_lsn(block: SourceBlock) -> Position:
    """SQL Server: ``file:block:slot`` in hexadecimal, and the order within one logged change.

    A deferred update is a delete and an insert with one change_lsn: event_serial_no tells them apart.
    """
    parts = block.change_lsn.split(":") if type(block.change_lsn) is str else []
    serial = whole(block.event_serial_no)
    try:
        file, log_block, slot = (int(part, 16) for part in parts)
    except ValueError:
        return UNKNOWN
    if not (0 <= file < 2**24 and 0 <= log_block < 2**24 and 0 <= slot < 2**13 and (serial or 0) < 4):
        return UNKNOWN
    return file << 39 | log_block << 15 | slot << 2 | (serial or 0), serial is not None


def _cluster_time(block: SourceBlock) -> Position:
    """MongoDB: seconds and the order within the second; a transaction's changes share both."""
    ms, order = whole(block.ts_ms), whole(block.ord)
    if not ms or order is None or ms // 1000 >= 2**32 or order >= 2**31:
        return UNKNOWN
    return (ms // 1000) << 31 | order, block.txnNumber is None


_OF_CONNECTOR: dict[str, Callable[[SourceBlock], Position]] = {
    "mysql": _binlog, "mariadb": _binlog, "postgresql": _lsn, "sqlserver": _change_lsn, "oracle": _scn,
    "mongodb": _cluster_time,
}  # fmt: skip
_ORDERED_BY_COMMIT = (_binlog, _cluster_time)


def _by_fields(block: SourceBlock) -> Callable[[SourceBlock], Position] | None:
    """Return how to read the position of a block that does not name its connector (flattened rows)."""
    if block.connector:
        return None
    if block.file is not None:
        return _binlog
    if block.change_lsn is not None:
        return _change_lsn
    if block.lsn is not None:
        return _lsn
    return _scn if block.scn is not None else None
