"""Models and customers' items in the store. A model is written whole under its version, then pointed to."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import redis

from sinks.recommendations.customer import Customer
from sinks.store.gathered import Gathered
from sinks.store.store import Head, Store
from streams.identity.partition import id_pairs, partition_of_customer, partitions_of

_PUT = (Path(__file__).parent / "put.lua").read_text(encoding="utf-8")
_PIECE = 1 << 20  # bytes of one field: a large one would keep the server busy
_TOGETHER = 500  # customers of one call
_UNUSED_SECONDS = 86_400  # of what nothing came to point to: its writer was killed
_GRACE_SECONDS = 60  # for whoever is still reading what was replaced


class Standing(msgspec.Struct, frozen=True):
    """What is in force. model, facts: versions; declared: what it was made by; trained, refreshed: seconds
    since 1970; ends: how far history went when customers were read last, by table and partition."""

    model: str
    facts: str
    declared: str
    trained: float
    refreshed: float
    ends: dict[str, dict[int, int]]


class Asked(msgspec.Struct, frozen=True):
    """One answer of the store. document: the profile's, None where there is none; clock: the epoch minute of
    the customer's partition; the rest as stored."""

    standing: Standing | None
    document: bytes | None
    customer: Customer
    heads: list[Head]
    partition: int


class Shelves:
    """One shop's: ``tintype:{SHOP/items}:standing`` and ``:model:VERSION``, ``:facts:VERSION``; of a customer
    ``tintype:{SHOP/PARTITION}:items:ID``. Raises `redis.RedisError` while the server is away."""

    def __init__(self, client: redis.Redis, shop: str, partitions: int) -> None:
        self._client, self._shop, self._partitions = client, shop, partitions
        self._put_script = client.register_script(_PUT)
        self._standing: tuple[bytes | None, Standing | None] = None, None  # as it came last

    def standing(self) -> Standing | None:
        """Return what is in force; None before the first training."""
        found: Any = self._client.get(self._key("standing"))
        return None if found is None else msgspec.msgpack.decode(found, type=Standing)

    def write(self, kind: str, packed: bytes) -> str:
        """Write a model or facts whole; return the version, which nothing points to yet."""
        version = secrets.token_hex(8)
        key = self._key(f"{kind}:{version}")
        for number, at in enumerate(range(0, len(packed), _PIECE)):
            self._client.hset(key, str(number), packed[at : at + _PIECE])
            self._client.expire(key, _UNUSED_SECONDS)
        return version

    def read(self, kind: str, version: str) -> bytes | None:
        """Return what was written under a version; None where it is not there any more."""
        key, pieces = self._key(f"{kind}:{version}"), []
        count: Any = self._client.hlen(key)
        for number in range(count):
            piece: Any = self._client.hget(key, str(number))
            if piece is None:
                return None
            pieces.append(piece)
        return b"".join(pieces) or None

    def stand(self, standing: Standing) -> None:
        """Put versions in force, at once; what they replace goes a minute later."""
        former = self.standing()
        pipeline = self._client.pipeline(transaction=True)
        pipeline.set(self._key("standing"), msgspec.msgpack.encode(standing))
        for kind in ("model", "facts"):
            pipeline.persist(self._key(f"{kind}:{getattr(standing, kind)}"))
            if former is not None and getattr(former, kind) != getattr(standing, kind):
                pipeline.expire(self._key(f"{kind}:{getattr(former, kind)}"), _GRACE_SECONDS)
        pipeline.execute()

    def keep(self, customers: Iterable[tuple[str, Customer]]) -> list[str]:
        """Keep what is known of customers (ids, 32 hex digits) that have a profile; return the others."""
        others, rest = [], iter(customers)
        while batch := list(islice(rest, _TOGETHER)):
            others += self._keep(batch)
        return others

    def _keep(self, batch: Sequence[tuple[str, Customer]]) -> list[str]:
        ids = [bytes.fromhex(name) for name, _ in batch]
        by_partition: dict[int, list[int]] = {}
        for at, partition in enumerate(partitions_of(*id_pairs(ids), self._partitions).tolist()):
            by_partition.setdefault(partition, []).append(at)
        others = []
        for partition, places in by_partition.items():
            keys = [
                key for at in places
                for key in (self._of(partition, "profile", ids[at]), self._of(partition, "items", ids[at]))
            ]  # fmt: skip
            answer: Any = self._put_script(keys=keys, args=[batch[at][1].packed() for at in places])
            others += [batch[places[at - 1]][0] for at in answer]
        return others

    def erase(self, customer: bytes) -> bool:
        """Drop what is kept of a customer (id of 16 bytes); return whether there was anything."""
        gone: Any = self._client.delete(self._of(self.partition_of(customer), "items", customer))
        return bool(gone)

    def partition_of(self, customer: bytes) -> int:
        """Return the partition of a customer."""
        return partition_of_customer(customer, self._partitions)

    def ask(self, store: Store, customer: bytes) -> Asked:
        """Return all that a slot needs of a customer (id of 16 bytes), in one round trip."""
        partition = self.partition_of(customer)
        more = [self._key("standing"), self._of(partition, "items", customer)]
        heads, found = store.read(self._partitions, [(partition, customer)], more)
        return self._asked(partition, heads, found)

    async def ask_gathered(self, gathered: Gathered, customer: bytes) -> Asked:
        """Return as `ask` does, together with others who ask."""
        partition = self.partition_of(customer)
        profile, items = (self._of(partition, what, customer) for what in ("profile", "items"))
        told = await gathered.ask(strings=[profile, self._key("standing"), items])
        return self._asked(partition, told.heads, told.strings)

    def _asked(self, partition: int, heads: list[Head], found: Sequence[bytes | None]) -> Asked:
        document, standing, items = found
        last = self._standing  # of whichever thread read last
        if standing != last[0]:
            last = self._standing = standing, None if standing is None else _STANDING.decode(standing)
        return Asked(last[1], document, Customer.unpacked(items), heads, partition)

    def memory(self) -> Mapping[str, int]:
        """Return how many bytes the model and facts in force have."""
        standing = self.standing()
        if standing is None:
            return {}
        keys = {kind: self._key(f"{kind}:{getattr(standing, kind)}") for kind in ("model", "facts")}
        return {kind: int(self._client.memory_usage(key) or 0) for kind, key in keys.items()}

    def _key(self, what: str) -> str:
        return f"tintype:{{{self._shop}/items}}:{what}"

    def _of(self, partition: int, what: str, customer: bytes) -> str:
        return f"tintype:{{{self._shop}/{partition}}}:{what}:{customer.hex()}"


_STANDING = msgspec.msgpack.Decoder(Standing)
