"""Inboxes brought from one store into another, or under another shop's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from sinks.inbox.names import inbox_key

_TOGETHER = 500  # customers in one round trip


@dataclass(frozen=True)
class Home:
    """Where a shop's inboxes are."""

    client: redis.Redis
    shop: str
    partitions: int

    def key(self, customer: bytes) -> str:
        """Return the key of a customer's inbox (id of 16 bytes)."""
        return inbox_key(self.shop, self.partitions, customer)


def move(former: Home, new: Home, customers: Sequence[bytes]) -> int:
    """Copy customers' inboxes, with what is read and dismissed and how long they are kept; return how many
    there were. What the new ones hold is replaced, so that it may be done again. Raises redis.RedisError."""
    moved = 0
    for first in range(0, len(customers), _TOGETHER):
        some = customers[first : first + _TOGETHER]
        with former.client.pipeline(transaction=False) as asking:
            for one in some:
                asking.hgetall(former.key(one))
                asking.pttl(former.key(one))
            answers: list[Any] = asking.execute()
        with new.client.pipeline(transaction=False) as writing:
            for one, fields, left in zip(some, answers[::2], answers[1::2], strict=True):
                if fields:
                    writing.delete(new.key(one))
                    writing.hset(new.key(one), mapping=fields)
                    if left >= 0:
                        writing.pexpire(new.key(one), left)
                    moved += 1
            writing.execute()
    return moved
