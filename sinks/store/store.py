"""The profile store in Redis or Valkey: documents, position, digest and outbox in one fenced commit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from streams.errors import InputError

_SCRIPT = (Path(__file__).parent / "commit.lua").read_text(encoding="utf-8")


_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError, redis.OutOfMemoryError)


def is_away(error: redis.RedisError) -> bool:
    """Whether a write may be tried again later: the server is gone, or its disk or memory is full."""
    return isinstance(error, _AWAY) or str(error).startswith("MISCONF")  # its file cannot be written


class Fenced(Exception):
    """The partition does not stand where this process left it, and nothing was written.

    ``set_back``: the store has lost what it was given (it is to be claimed and filled anew); otherwise
    another process has become the owner, and this one must stop.
    """

    def __init__(self, partition: int, there: tuple[str, str], expected: tuple[int, str]) -> None:
        self.set_back = int(there[0] or 0) <= expected[0]
        why = "the store was set back" if self.set_back else "another process owns this shop now"
        super().__init__(f"partition {partition}: {why} (it has {there}, not {expected})")


@dataclass(frozen=True)
class Head:
    """Where a partition of the store stands.

    epoch: of its owner; position: ``step:sub-step`` ("" before the first commit); step: records whose result
    is in the store; effects: how many were written to the outbox; digest: over the effects at ``step``;
    clock: epoch minute at ``step``; program: hash of the code that made the documents of ``step``; whole: the
    position at which all documents were those of ``step``, the present one unless a commit is half done.
    """

    epoch: int
    position: str
    step: int
    effects: int
    digest: str
    clock: int
    program: str
    whole: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether no document is ahead of ``step``: of a large commit the first sub-steps are (P4)."""
        return self.whole == self.position


@dataclass(frozen=True)
class Page:
    """Effects ``first`` to ``last`` of a partition, in order, as one JSON array; how many are decisions."""

    first: int
    last: int
    decisions: int
    body: bytes


@dataclass(frozen=True)
class Commit:
    """What one sub-step writes. documents: (customer, 16 bytes; JSON, or b"" to delete); overview: of the
    partition at this position, None to leave the last one."""

    position: str
    fields: dict[str, str | int]
    pages: Sequence[Page]
    documents: Sequence[tuple[bytes, bytes]]
    overview: bytes | None = None


class Store:
    """One shop's keys: ``tintype:{SHOP/PARTITION}:head``, ``:effects``, ``:overview`` and ``:profile:ID``.

    The braces keep a partition's keys in one slot of a cluster. Raises `redis.ConnectionError` while the
    server is away.
    """

    def __init__(self, client: redis.Redis, shop: str, first: int = 0) -> None:
        """first: the shop's number of what is called partition 0 here: of a worker that owns one of many."""
        self.client = client
        self.first = first
        self._shop = shop
        self._script = client.register_script(_SCRIPT)
        self._own: dict[int, tuple[int, str]] = {}  # partition: epoch and position this process holds

    def check(self) -> None:
        """Raise InputError unless the server keeps whatever it is given (it must never evict)."""
        policy = self.client.config_get("maxmemory-policy").get("maxmemory-policy")
        if policy != "noeviction":
            raise InputError(
                "store", f"the server may drop keys when memory is short (maxmemory-policy {policy})",
                "set maxmemory-policy to noeviction: CONFIG SET maxmemory-policy noeviction",
            )  # fmt: skip

    def key(self, partition: int, what: str) -> str:
        """Return the name of a partition's key."""
        return f"tintype:{{{self._shop}/{self.first + partition}}}:{what}"

    def claim(self, partition: int) -> Head:
        """Become the partition's owner; whoever was it before is refused from now on."""
        key = self.key(partition, "head")
        self.client.hincrby(key, "epoch", 1)
        head = self.head(partition)
        self._own[partition] = (head.epoch, head.position)
        return head

    def epoch(self, partition: int) -> int:
        """Return the epoch of this process's claim on a partition."""
        return self._own[partition][0]

    def head(self, partition: int) -> Head:
        """Return where the partition stands; epoch 0 and position "" where nothing was ever written."""
        return head_of(self.client.hgetall(self.key(partition, "head")))

    def commit(self, partition: int, commit: Commit) -> None:
        """Write it all or nothing. Raises Fenced if another owner or position is there."""
        epoch, expected = self._own[partition]
        fields = {"position": commit.position, **commit.fields}
        arguments: list[Any] = [epoch, expected, len(fields)]
        for name, value in fields.items():
            arguments += (name, value)
        arguments.append(len(commit.pages))
        for page in commit.pages:
            # A stream's ids must grow and not be 0: the id is the number of effects up to the page's end.
            arguments += (f"{page.last + 1}-0", page.first, page.decisions, page.body)
        profile = self.key(partition, "profile:")
        keys = [self.key(partition, "head"), self.key(partition, "effects")]
        keys += [profile + customer.hex() for customer, _ in commit.documents]
        arguments += [document for _, document in commit.documents]
        if commit.overview is not None:
            keys.append(self.key(partition, "overview"))
            arguments.append(commit.overview)
        answer: Any = self._script(keys=keys, args=arguments)
        there = None if answer == b"ok" else tuple(part.decode() for part in answer)
        # An answer may be lost on its way: the commit is there, and is asked for once more.
        if there is not None and there != (str(epoch), commit.position):
            raise Fenced(partition, (there[0], there[1]), (epoch, expected))
        self._own[partition] = (epoch, commit.position)

    def profiles(self, customers: Sequence[tuple[int, bytes]]) -> list[bytes | None]:
        """Return the documents of (partition, customer) pairs, None where there is none."""
        if not customers:
            return []
        keys = [self.key(partition, f"profile:{customer.hex()}") for partition, customer in customers]
        found: Any = self.client.mget(keys)
        return list(found)

    def read(
        self, partitions: int, customers: Sequence[tuple[int, bytes]], more: Sequence[str] = ()
    ) -> tuple[list[Head], list[bytes | None]]:
        """Return the head of each partition and the documents of (partition, customer) pairs, at once; behind
        the documents what stands under more keys."""
        pipeline = self.client.pipeline(transaction=True)
        for partition in range(partitions):
            pipeline.hgetall(self.key(partition, "head"))
        keys = [self.key(partition, f"profile:{customer.hex()}") for partition, customer in customers]
        if keys := [*keys, *more]:
            pipeline.mget(keys)
        found: list[Any] = pipeline.execute()
        return [head_of(one) for one in found[:partitions]], list(found[partitions]) if keys else []

    def overviews(self, partitions: int) -> tuple[list[Head], list[bytes | None]]:
        """Return head and last overview of each partition, at once."""
        pipeline = self.client.pipeline(transaction=True)
        for partition in range(partitions):
            pipeline.hgetall(self.key(partition, "head"))
            pipeline.get(self.key(partition, "overview"))
        found: list[Any] = pipeline.execute()
        return [head_of(one) for one in found[::2]], list(found[1::2])

    def customers(self) -> Iterator[tuple[int, str]]:
        """Yield partition and id (32 hex digits) of each document of the shop, at least once; looks at every
        key that the server has."""
        before = re.sub(r"([\[\]*?\\])", r"\\\1", f"tintype:{{{self._shop}/")
        for key in self.client.scan_iter(f"{before}[0-9]*}}:profile:*", count=1000):
            place, _, customer = key.decode().partition("}:profile:")
            yield int(place.rpartition("/")[2]), customer

    def pages(self, partition: int, after: int, limit: int) -> list[Page]:
        """Return up to ``limit`` pages that hold effects numbered ``after`` and later, in order."""
        found: Any = self.client.xrange(self.key(partition, "effects"), f"({after}-0", "+", limit)
        return [
            Page(int(at[b"first"]), int(number.split(b"-")[0]) - 1, int(at[b"decisions"]), at[b"effects"])
            for number, at in found
        ]

    def first_effect(self, partition: int) -> int | None:
        """Return the number of the oldest effect in the outbox; None while it is empty."""
        found: Any = self.client.xrange(self.key(partition, "effects"), "-", "+", 1)
        return int(found[0][1][b"first"]) if found else None

    def outbox_bytes(self, partition: int) -> int:
        """Return about how much memory the outbox takes: the server looks at some of its pages."""
        return int(self.client.memory_usage(self.key(partition, "effects")) or 0)

    def empty_outbox(self, partition: int) -> None:
        """Drop all effects: they are about to be written again from an older one on."""
        self.client.delete(self.key(partition, "effects"))

    def trim(self, partition: int, before: int) -> None:
        """Drop the pages whose effects are all numbered below ``before``."""
        self.client.xtrim(self.key(partition, "effects"), minid=f"{before + 1}-0", approximate=False)


def head_of(found: Any) -> Head:
    """Return a head as the hash under its key has it."""
    get = {name.decode(): value.decode() for name, value in found.items()}
    return Head(
        int(get.get("epoch", 0)), get.get("position", ""), int(get.get("step", 0)),
        int(get.get("effects", 0)), get.get("digest", ""), int(get.get("clock", -1)),
        get.get("program", ""), get.get("whole", ""),
    )  # fmt: skip
