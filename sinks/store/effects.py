"""The outbox as others read it: effects one by one, by their dense numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sinks.store.store import Store

_PAGES = 50  # fetched at once: some 20,000 effects


class StoreEffects:
    """Reads the effects of a store's partitions; a `sinks.outbox.EffectSource`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, partition: int, after_seq: int, limit: int) -> Sequence[dict[str, Any]]:
        """Return up to ``limit`` effects numbered above ``after_seq`` (-1: from the first), in order."""
        found: list[dict[str, Any]] = []
        while len(found) < limit:
            after = found[-1]["seq"] if found else after_seq
            pages = self._store.pages(partition, after + 1, _PAGES)
            for page in pages:
                effects = msgspec.json.decode(page.body, type=list[dict[str, Any]])
                found += [effect for effect in effects if effect["seq"] > after_seq]
            if len(pages) < _PAGES:
                break
        return found[:limit]

    def last_seq(self, partition: int) -> int:
        """Return the number of the newest effect, -1 before the first."""
        return self._store.head(partition).effects - 1
