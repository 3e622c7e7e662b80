"""A message: what came in, as it came, before anybody has read it."""

from __future__ import annotations

import msgspec

LARGEST_BYTES = 10_000_000  # no row of a shop is larger; Kafka's own limit is 1 MiB unless somebody raised it


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a source.

    source: its name; place: ``topic/partition/offset``, ``file:line`` or where else it came from; key: the
    key's bytes, where the transport has one; value: the bytes, None for a tombstone.
    """

    source: str
    place: str
    value: bytes | None
    key: bytes | None = None

    @property
    def is_too_large(self) -> bool:
        """Say whether key or value is larger than what is read, `LARGEST_BYTES`."""
        return max(len(self.value or b""), len(self.key or b"")) > LARGEST_BYTES
