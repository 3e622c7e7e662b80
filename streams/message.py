"""A message: what came in, as it came, before anybody has read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a source.

    source: its name; place: ``topic/partition/offset``, ``file:line`` or where else it came from; key: the
    key's bytes, where the transport has one; value: the bytes, None for a tombstone.
    """

    source: str
    place: str
    value: bytes | None
    key: bytes | None = None
