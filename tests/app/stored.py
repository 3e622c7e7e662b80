"""What a shop's store should hold: read from an engine that has followed the whole log from its beginning."""

from __future__ import annotations

from typing import Any

import msgspec

from app.effects import Collector
from app.inspect import audit_minutes
from app.replay import Replay
from app.shop import Shop
from engine.documents import documents
from engine.outcome import Decision, Transition
from sinks.store.store import Store
from streams.log.log import Log


class FromScratch:
    """An engine that knows nothing but the log; ``moved`` and ``made`` are all its effects."""

    def __init__(self, log: Log, shop: Shop) -> None:
        self.log, self.shop = log, shop
        self.moved: list[Transition] = []
        self.made: list[Decision] = []
        self.replay = Replay(log, shop, Collector(self._listen).take)
        self.replay.follow()

    def _listen(self, moved: list[Transition], made: list[Decision]) -> None:
        self.moved += moved
        self.made += made

    def profiles(self) -> dict[tuple[int, str], Any]:
        """Return every customer's document by (partition, id)."""
        found: dict[tuple[int, str], Any] = {}
        for number, partition in enumerate(self.replay.engine.partitions):
            partition.change_all()
            for customer, document in documents(partition, partition.take_changed()):
                if document is not None:  # else they are erased
                    found[number, customer.hex()] = msgspec.json.decode(msgspec.json.encode(document))
        return found

    def differences(self) -> list[Any]:
        """Compare the engine with the recompute of the reference, at the log's end."""
        clock = self.replay.engine.clock
        found: list[Any] = audit_minutes(self.log, self.shop, clock, None, None, 1)["differences"]
        return found


def profiles_of(store: Store, shop: Shop, partitions: int) -> dict[tuple[int, str], Any]:
    """Return every document that the store serves, by (partition, id)."""
    found: dict[tuple[int, str], Any] = {}
    for partition in range(partitions):
        start = f"tintype:{{{shop.settings.name}/{partition}}}:profile:"
        for key in store.client.scan_iter(match=f"{start}*", count=1000):
            body: Any = store.client.get(key)
            found[partition, key.decode().removeprefix(start)] = msgspec.json.decode(body)
    return found


def effects_of(store: Store, partitions: int) -> list[list[int]]:
    """Return the numbers of the effects in each partition's outbox, in its order."""
    numbers: list[list[int]] = []
    for partition in range(partitions):
        pages = store.pages(partition, 0, 100_000)
        numbers.append([one["seq"] for page in pages for one in msgspec.json.decode(page.body)])
    return numbers
