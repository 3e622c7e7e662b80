"""The topic of customers' keys: who is erased has a record without a value behind the keys, a tombstone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

NUMBER_BYTES = 2


@dataclass(frozen=True)
class KeyRecord:
    """One record. offset: in its partition, which all records of the same key have in common; wrapped: None
    where the key is forgotten."""

    customer: bytes
    number: int
    offset: int
    wrapped: bytes | None


def name_of(customer: bytes, number: int) -> bytes:
    """Return a record's key."""
    return customer + number.to_bytes(NUMBER_BYTES, "big")


def named(name: bytes) -> tuple[bytes, int]:
    """Return (customer, number) of a record's key."""
    return name[:16], int.from_bytes(name[16:], "big")


def unforgotten(read: Callable[[], Iterable[KeyRecord]]) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield (customer, number, wrapped key) of every key that is not forgotten. read: gives all records; it
    is called twice, first for what was forgotten, so that no forgotten key comes by even for a moment."""
    gone = {(one.customer, one.number): one.offset for one in read() if one.wrapped is None}
    for one in read():
        if one.wrapped is not None and one.offset > gone.get((one.customer, one.number), -1):
            yield one.customer, one.number, one.wrapped
