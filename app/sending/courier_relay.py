"""Takes decisions from the store's outbox into the ledger: queued, on disk, each once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.outcome import Decision
from sinks.deliveries.delivery import Route
from sinks.deliveries.ledger import Ledger
from sinks.store.store import Page, Store

NAME = "channels"
PAGES = 4  # of a partition at a time: what sends has its turn in between


class CourierRelay:
    """One thread's. `step` again and again; it remembers on disk how far it is.

    route: how a decision is delivered, or why it is held back, or None when there is nothing to send.
    """

    def __init__(
        self, store: Store, ledger: Ledger, route: Callable[[Decision], Route | str | None], partitions: int
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._route = route
        self._drained = ledger.drained(NAME, partitions)

    @property
    def drained(self) -> list[int]:
        """For each partition how many effects are taken over."""
        return list(self._drained)

    def step(self) -> int:
        """Take over what the outbox holds, a bounded part of it; return how many pages that was."""
        pages = 0
        for partition in range(len(self._drained)):
            for page in self._store.pages(partition, self._drained[partition], PAGES):
                self._take(partition, page)
                pages += 1
        return pages

    def _take(self, partition: int, page: Page) -> None:
        made = decisions_of(page) if page.decisions else []
        fresh = [(one, self._route(one)) for one in made if one.seq >= self._drained[partition]]
        self._ledger.take(NAME, fresh, {partition: page.last + 1})
        self._drained[partition] = page.last + 1


def decisions_of(page: Page) -> list[Decision]:
    """Return the decisions among a page's effects, in order."""
    effects = msgspec.json.decode(page.body, type=list[msgspec.Raw])
    marked = msgspec.json.decode(page.body, type=list[_Marked])
    return [
        msgspec.json.decode(raw, type=Decision)
        for raw, mark in zip(effects, marked, strict=True)
        if mark.trigger is not None
    ]


class _Marked(msgspec.Struct):
    """What tells a decision from a transition."""

    trigger: str | None = None
