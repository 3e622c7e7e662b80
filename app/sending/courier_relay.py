"""Takes the store's outbox into the ledger, each effect once: decisions are queued, changes of tags kept."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.outcome import Decision
from sinks.deliveries.delivery import Way
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import Moved
from sinks.store.store import Page, Store

NAME = "channels"
PAGES = 4  # of a partition at a time: what sends has its turn in between


class CourierRelay:
    """One thread's. `step` again and again; it remembers on disk how far it is.

    route: how a decision is delivered, or why it is held back, or None when there is nothing to send.
    """

    def __init__(
        self, store: Store, ledger: Ledger, route: Callable[[Decision], Way], partitions: int
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
        made, moved = effects_of(page, self._drained[partition])
        routed = [(one, self._route(one)) for one in made]
        self._ledger.take(NAME, routed, {partition: page.last + 1}, moved)
        self._drained[partition] = page.last + 1


class _Marked(msgspec.Struct):
    """What is to be known of an effect that is not read as a whole."""

    seq: int
    minute: int
    trigger: str | None = None


_marked = msgspec.json.Decoder(list[_Marked]).decode
_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decision = msgspec.json.Decoder(Decision).decode


def effects_of(page: Page, first: int) -> tuple[list[Decision], Moved]:
    """Return the decisions of a page, and its changes of tags and segments, in order: what is numbered
    ``first`` or later."""
    made: list[Decision] = []
    changes: list[msgspec.Raw] = []
    minute = 0
    for raw, mark in zip(_raw(page.body), _marked(page.body), strict=True):
        if mark.seq < first:
            continue
        minute = mark.minute
        if mark.trigger is None:
            changes.append(raw)
        else:
            made.append(_decision(raw))
    return made, Moved(changes, minute)
