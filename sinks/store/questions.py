"""Questions to whoever owns a partition, through the store: asked into a list, answered under a key.

Few and bounded: at most so many wait, and none longer than whoever asked. A question holds no state of the
shop, so that one that is lost is asked again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import redis

MOST = 100  # that wait in a partition
WAIT_SECONDS = 2.0
_LEAST_SECONDS = 0.01  # to wait: 0 would be for ever
_KEPT_MS = 10_000  # of an answer that nobody fetches, and of questions that nobody takes
EXPLAIN, TEXTS, REACH = "explain", "texts", "reach"


class TooMany(Exception):
    """So many questions wait already in a partition."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.partition = partition


class Question(msgspec.Struct, array_like=True):
    """A question. about: a customer (16 bytes) to explain, or as JSON an `app.texts_now.AskedNow` or an
    `app.life.reach.AskedReach`; until: when nobody waits for its answer any more, seconds since 1970."""

    name: str
    about: bytes
    until: float
    kind: str = EXPLAIN


@dataclass(frozen=True)
class Questions:
    """One shop's. Raises `redis.RedisError` while the server is away."""

    client: redis.Redis
    shop: str

    def _key(self, partition: int, what: str) -> str:
        return f"tintype:{{{self.shop}/{partition}}}:{what}"

    def ask(
        self, kind: str, about: Mapping[int, bytes], seconds: float = WAIT_SECONDS
    ) -> dict[int, bytes | None]:
        """Return the answers of partitions' owners, of all together within so many seconds; None where none
        came in time. Raises TooMany."""
        until = time.time() + seconds
        asked = {at: Question(secrets.token_hex(16), one, until, kind) for at, one in about.items()}
        for partition in asked:
            waiting: Any = self.client.llen(self._key(partition, "asked"))
            if waiting >= MOST:
                raise TooMany(partition)
        pipeline = self.client.pipeline(transaction=False)
        for partition, question in asked.items():
            pipeline.rpush(self._key(partition, "asked"), msgspec.msgpack.encode(question))
            pipeline.pexpire(self._key(partition, "asked"), _KEPT_MS)
        pipeline.execute()
        return {partition: self._wait(partition, question) for partition, question in asked.items()}

    def _wait(self, partition: int, question: Question) -> bytes | None:
        left = max(_LEAST_SECONDS, question.until - time.time())
        found: Any = self.client.blpop([self._key(partition, f"answer:{question.name}")], left)
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
