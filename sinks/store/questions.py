"""Questions to whoever owns a partition, through the store: asked into a list, answered under a key.

Few and bounded: at most so many wait, and none longer than whoever asked. A question holds no state of the
shop, so that one that is lost is asked again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import redis

MOST = 100  # that wait in a partition
WAIT_SECONDS = 2.0
_KEPT_MS = 10_000  # of an answer that nobody fetches, and of questions that nobody takes


class TooMany(Exception):
    """So many questions wait already."""


class Question(msgspec.Struct, array_like=True):
    """A question. until: when nobody waits for its answer any more, seconds since 1970."""

    name: str
    customer: bytes
    until: float


@dataclass(frozen=True)
class Questions:
    """One shop's. Raises `redis.RedisError` while the server is away."""

    client: redis.Redis
    shop: str

    def _key(self, partition: int, what: str) -> str:
        return f"tintype:{{{self.shop}/{partition}}}:{what}"

    def ask(self, partition: int, customer: bytes, seconds: float = WAIT_SECONDS) -> bytes | None:
        """Return the owner's answer on a customer (16 bytes), None where none came in time. Raises TooMany.
        """
        question = Question(secrets.token_hex(16), customer, time.time() + seconds)
        asked, answer = self._key(partition, "asked"), self._key(partition, f"answer:{question.name}")
        waiting: Any = self.client.llen(asked)
        if waiting >= MOST:
            raise TooMany
        pipeline = self.client.pipeline(transaction=True)
        pipeline.rpush(asked, msgspec.msgpack.encode(question))
        pipeline.pexpire(asked, _KEPT_MS)
        pipeline.execute()
        found: Any = self.client.blpop([answer], seconds)
        return None if found is None else bytes(found[1])

    def take(self, partitions: Sequence[int]) -> list[tuple[int, Question]]:
        """Return, and take away, a question of each of these partitions that has one; one that nobody waits
        for any more is passed over."""
        pipeline = self.client.pipeline(transaction=False)
        for partition in partitions:
            pipeline.lpop(self._key(partition, "asked"))
        found = zip(partitions, pipeline.execute(), strict=True)
        taken = [(one, msgspec.msgpack.decode(raw, type=Question)) for one, raw in found if raw is not None]
        return [(partition, one) for partition, one in taken if one.until > time.time()]

    def answer(self, partition: int, question: Question, answer: bytes) -> None:
        """Give the answer to whoever waits for it."""
        key = self._key(partition, f"answer:{question.name}")
        pipeline = self.client.pipeline(transaction=True)
        pipeline.rpush(key, answer)
        pipeline.pexpire(key, _KEPT_MS)
        pipeline.execute()
