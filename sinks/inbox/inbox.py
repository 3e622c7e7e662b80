"""Customers' inboxes: read, marked as read or dismissed, emptied.

The store has the only copy of what is read and dismissed (docs/channels/inbox.md says why that may be); what
was sent stands in the ledger of deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import redis

from sinks.inbox.message import InboxMessage, Shown, unpacked
from sinks.inbox.names import inbox_key, news_channel
from sinks.inbox.putting import SCRIPT, Putting

_MARK = (Path(__file__).parent / "mark.lua").read_text(encoding="utf-8")
_LAST = b"#"


@dataclass(frozen=True)
class Contents:
    """An inbox at a moment. change: number of its last change, 0 for none; messages: dismissed ones too,
    without those that are over; in no order."""

    change: int
    messages: Sequence[InboxMessage]

    @property
    def visible(self) -> list[InboxMessage]:
        """The messages that a customer sees."""
        return [one for one in self.messages if not one.dismissed]

    @property
    def unread(self) -> int:
        """How many of these were not read."""
        return sum(1 for one in self.messages if not one.dismissed and not one.read)


def contents(fields: Mapping[bytes, bytes], now: float) -> Contents:
    """Return what is in an inbox at a time (seconds since 1970), from the hash under its key."""
    ms = now * 1000
    found = (unpacked(name.decode(), value) for name, value in fields.items() if name != _LAST)
    return Contents(int(fields.get(_LAST, 0)), [one for one in found if one.expires > ms])


@dataclass(frozen=True)
class Marked:
    """found: messages that are there; changed: those of them that were not marked so before."""

    found: int
    changed: int


class Inboxes:
    """One shop's. Customers are ids of 16 bytes, times seconds since 1970. Any thread may use it.

    Raises `redis.RedisError` while the server is away.
    """

    def __init__(self, client: redis.Redis, shop: str, partitions: int) -> None:
        self._client, self._shop, self._partitions = client, shop, partitions
        self._mark_script = client.register_script(_MARK)
        self._put_script = client.register_script(SCRIPT)

    def put(
        self, customer: bytes, message: str, shown: Shown, now: float, priority: int = 0,
        putting: Putting | None = None,
    ) -> bool:  # fmt: skip
        """Put a message in, unless one of this id is there; return whether it was put."""
        how = putting or Putting(self._shop, self._partitions)
        key, *arguments = how.arguments(customer, message, shown, priority, now)
        answer: Any = self._put_script(keys=[key], args=arguments)
        return bool(answer)

    def read(self, customer: bytes, now: float) -> Contents:
        """Return what is in an inbox."""
        fields: Any = self._client.hgetall(self._key(customer))
        return contents(fields, now)

    def mark(
        self, customer: bytes, what: Literal["read", "dismissed"], now: float, messages: Sequence[str] = ()
    ) -> Marked:
        """Mark messages by their ids; without ids: all."""
        arguments = [str(int(now * 1000)), news_channel(self._shop), customer.hex(), what, *messages]
        answer: Any = self._mark_script(keys=[self._key(customer)], args=arguments)
        return Marked(*answer)

    def erase(self, customer: bytes) -> bool:
        """Empty a customer's inbox for good, and tell those who watch it; return whether there was one."""
        gone: Any = self._client.delete(self._key(customer))
        if gone:
            self._client.publish(news_channel(self._shop), customer.hex())
        return bool(gone)

    def _key(self, customer: bytes) -> str:
        return inbox_key(self._shop, self._partitions, customer)
