"""What a change message becomes: changes of rows, something counted, or a refusal."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

Operation = Literal["insert", "update", "delete", "read", "upsert"]


class RowChange(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One change of one row, as the contract reads it.

    op: ``read`` is a row of a snapshot, ``upsert`` a change that does not say which it was.
    table: as the database names it (``shop.orders``), empty where the message does not say.
    values: column of the table to the text that a file would hold, None for null; only the columns that
    the source reads. Empty for a delete, whose key stands in key_values.
    missing: columns the source reads and this message does not carry; their values stay as they are.
    position: where the change stands in its source, so that of two changes of one row the later one is
    greater; None where the message does not say. exact: two changes of one row never share a position.
    event_ms: milliseconds since 1970 at which the database made the change, None where not known.
    snapshot: the row was read, not changed (semantics T5).
    """

    op: Operation
    table: str
    values: dict[str, str | None]
    missing: frozenset[str] = frozenset()
    key_values: dict[str, str | None] = {}
    position: int | None = None
    exact: bool = False
    event_ms: int | None = None
    snapshot: bool = False


def moved(change: RowChange, old_key: dict[str, str | None]) -> tuple[RowChange, RowChange]:
    """Return the delete of the old key and the insert of the new one."""
    gone = RowChange(
        op="delete", table=change.table, values={}, key_values=old_key, position=change.position,
        exact=change.exact, event_ms=change.event_ms, snapshot=change.snapshot,
    )  # fmt: skip
    return gone, msgspec.structs.replace(change, op="insert")


class Counted(msgspec.Struct, frozen=True):
    """A message that changes no row of the source; ``kind`` is what it is counted as.

    heartbeat, transaction, schema change, tombstone, message, notification, signal, bootstrap, other table.
    at_ms: milliseconds since 1970 at which it was written, None where it does not say.
    """

    kind: str
    at_ms: int | None = None

    def at(self, ms: int | None) -> Counted:
        """Return it with its time."""
        return Counted(self.kind, ms)


Decoded = tuple[RowChange, ...] | Counted


class Refused(Exception):
    """A message that cannot be applied: what is wrong with it, and what to do.

    >>> print(Refused("'x' is no operation", "check the connector"))
    'x' is no operation: check the connector
    """

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem}: {self.hint}"


class ChangeDecoder(Protocol):
    """Reads the messages of one source, in the order of their topic partition or file."""

    def decode(self, key: bytes | None, value: bytes | None) -> Decoded:
        """Return what a message is. Raises Refused, and nothing else whatever the bytes."""
        ...
