"""Carries decisions from the store's outbox to the channels: claimed on disk first, then sent once."""

from __future__ import annotations

import msgspec

from engine.outcome import Decision
from sinks.channels.courier import Courier, Delivery
from sinks.deliveries.ledger import CLAIMED, HELD_BACK, SENT, Ledger
from sinks.store.store import Page, Store

NAME = "channels"
PAGES = 20


class CourierRelay:
    """One thread's. `step` again and again; it remembers on disk how far it is."""

    def __init__(self, store: Store, ledger: Ledger, courier: Courier, partitions: int) -> None:
        self._store = store
        self._ledger = ledger
        self._courier = courier
        self._drained = ledger.drained(NAME, partitions)

    @property
    def drained(self) -> list[int]:
        """For each partition how many effects are taken over."""
        return list(self._drained)

    def step(self) -> list[Delivery]:
        """Take over what the outbox holds, a bounded part of it; return what was carried out."""
        done: list[Delivery] = []
        for partition in range(len(self._drained)):
            for page in self._store.pages(partition, self._drained[partition], PAGES):
                done += self._take(partition, page)
        return done

    def _take(self, partition: int, page: Page) -> list[Delivery]:
        made = decisions_of(page) if page.decisions else []
        fresh = [one for one in made if one.seq >= self._drained[partition]]
        claimed = self._ledger.take(NAME, partition, fresh, page.last + 1)
        self._drained[partition] = page.last + 1
        done = []
        for delivery in self._courier.carry_out(claimed):
            if delivery.unknown is None:
                state = SENT if delivery.message is not None else HELD_BACK
                self._ledger.settle(delivery.decision.id, state, delivery.held_back)
            else:
                self._ledger.settle(delivery.decision.id, CLAIMED, delivery.unknown)
            done.append(delivery)
        return done


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
