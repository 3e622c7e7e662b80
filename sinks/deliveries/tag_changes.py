"""Changes of tags and segments of an embedded shop, in the order in which they were taken from its outbox.

They are written in the transaction that notes how far the outbox is taken over, and numbered without a gap,
from 1. A page of the outbox stays one row, packed: rows of their own would cost five times as much. The
oldest pages go after a while; nothing in here reads a clock, so the same effects leave the same pages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec
import pyarrow as pa

from engine.outcome import Transition
from sinks.deliveries.changes import KEPT_DAYS, Forgotten

_KEPT_MINUTES = KEPT_DAYS * 1440
_FORGOTTEN_AT_ONCE = 100  # pages
LOOKED_THROUGH = 200_000  # changes, for one answer: there may be few of one customer
_CODEC = "zstd"
# The first page of interest is the last that begins at or before the number asked for, if that is kept.
_FROM = (
    "SELECT number, changes, size, body FROM tag_change WHERE number >= "
    "coalesce((SELECT max(number) FROM tag_change WHERE number <= ?), 0) ORDER BY number LIMIT ?"
)
_READ_AT_ONCE = 20  # pages, two at least: while a statement is open, its connection sees no newer commit
_NEWEST = "SELECT coalesce((SELECT number + changes - 1 FROM tag_change ORDER BY number DESC LIMIT 1), 0)"


def note_tag_changes(connection: sqlite3.Connection, changes: Sequence[msgspec.Raw], minute: int) -> None:
    """Write changes (`sinks.deliveries.records.Moved`) down as a page, inside the caller's transaction, and
    forget some that are older than 30 days by the minutes of the log."""
    if not changes:
        return
    body = b"[" + b",".join(changes) + b"]"
    packed = pa.compress(body, codec=_CODEC, asbytes=True)
    (newest,) = connection.execute(_NEWEST).fetchone()
    row = (newest + 1, len(changes), minute, len(body), packed)
    connection.execute("INSERT INTO tag_change VALUES (?, ?, ?, ?, ?)", row)
    _forget(connection, minute - _KEPT_MINUTES)


def _forget(connection: sqlite3.Connection, before: int) -> None:
    """Forget a bounded number of the oldest pages up to the first that is not old: the newest is not, and its
    number tells where to go on."""
    gone = 0
    query = "SELECT number, minute FROM tag_change ORDER BY number LIMIT ?"
    for number, minute in connection.execute(query, (_FORGOTTEN_AT_ONCE,)):
        if minute >= before:
            break
        gone = number
    if gone:
        connection.execute("DELETE FROM tag_change WHERE number <= ?", (gone,))


def tag_changes_after(
    connection: sqlite3.Connection, number: int | None, limit: int, customer: str | None = None,
    most: int = LOOKED_THROUGH,
) -> tuple[list[tuple[int, Transition]], int]:  # fmt: skip
    """Return up to ``limit`` changes behind a number (None: from the oldest that is kept), each with its own,
    and the number behind all that was looked through.

    customer: only of this one (32 hex digits); about ``most`` are looked through. Raises Forgotten if some
    behind the number are not kept any more, or if there never was such a number here.
    """
    found: list[tuple[int, Transition]] = []
    at, looked = number, 0
    for first, count, size, body in _pages(connection, number or 0):
        if at is None:
            at = first - 1
        if first > at + 1:
            raise Forgotten(f"the oldest that is kept is {first}")
        last = first + count - 1
        if last <= at:
            continue
        found += _of_page(first, size, body, at, limit - len(found), customer)
        if len(found) == limit:
            return found, found[-1][0]
        at, looked = last, looked + count
        if looked >= most:
            return found, at
    if at is not None and at == number:
        (newest,) = connection.execute(_NEWEST).fetchone()
        if at > newest:
            raise Forgotten(f"the newest is {newest}")
    return found, at or 0


def tag_changes_of(connection: sqlite3.Connection, customer: str) -> Iterator[Transition]:
    """Yield all changes of a customer (32 hex digits) that are kept, in order."""
    at: int | None = None
    while True:
        found, end = tag_changes_after(connection, at, LOOKED_THROUGH, customer)
        yield from (one for _, one in found)
        if end in (at, 0):
            return
        at = end


def _pages(connection: sqlite3.Connection, at: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield pages from the one that holds what is behind a number on: first number, changes, size, body. The
    first may end at the number."""
    while True:
        rows = connection.execute(_FROM, (at + 1, _READ_AT_ONCE)).fetchall()
        yield from rows
        if len(rows) < _READ_AT_ONCE:
            return
        at = rows[-1][0] + rows[-1][1] - 1


def _of_page(
    first: int, size: int, body: bytes, after: int, limit: int, customer: str | None
) -> Iterator[tuple[int, Transition]]:
    """Yield the changes of a page behind a number, of a customer if one is named."""
    text = pa.decompress(body, size, codec=_CODEC, asbytes=True)
    whose = None if customer is None else customer.encode()
    if whose is not None and whose not in text:
        return
    for number, raw in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw]), start=first):
        if not limit:
            return
        if number <= after or (whose is not None and whose not in bytes(raw)):
            continue
        one = msgspec.json.decode(raw, type=Transition)
        if customer in (None, one.customer):
            limit -= 1
            yield number, one
