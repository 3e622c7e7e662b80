"""What a process serves slots from: the model in force, taken out of the store whole until it changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import msgspec

from sinks.recommendations.choose import Chosen, Whom, choose, may_personalise
from sinks.recommendations.declaration import Recommendations, Slot
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.profile import segments_and_tags
from sinks.recommendations.shelf import Shelf
from sinks.recommendations.shelves import Asked, Shelves, Standing
from sinks.store.gathered import Gathered
from sinks.store.store import Head, Store


class NotTrained(Exception):
    """No model is there yet."""


class NoSuchCustomer(Exception):
    """The store has no profile of this customer."""


class Served(msgspec.Struct, frozen=True):
    """What a slot holds for a customer. partition, heads: as the store stood then."""

    chosen: Sequence[Chosen]
    personalised: bool
    shelf: Shelf
    standing: Standing
    heads: list[Head]
    partition: int


class Counter:
    """One shop's, for any thread. One thread takes a new model over, while others go on with the former.

    Raises `redis.RedisError` while the store is away.
    """

    def __init__(self, declared: Recommendations, shelves: Shelves, store: Store) -> None:
        self.declared, self._shelves, self._store = declared, shelves, store
        self._held: tuple[str, str, Shelf] | None = None
        self._taking = threading.Lock()

    def serve(self, name: str, customer: bytes, personalised: bool = True) -> Served:
        """Return what a slot holds for a customer (id of 16 bytes). personalised: False where it must not be,
        whatever the slot says. Raises NotTrained, NoSuchCustomer, and KeyError for an unknown slot."""
        return self._fill(name, customer, self._shelves.ask(self._store, customer), personalised)

    async def serve_gathered(
        self, gathered: Gathered, name: str, customer: bytes, personalised: bool = True
    ) -> Served:
        """Return and raise as `serve` does, reading together with others who ask."""
        asked = await self._shelves.ask_gathered(gathered, customer)
        if asked.standing is None or self._has(asked.standing):
            return self._fill(name, customer, asked, personalised)
        return await asyncio.to_thread(self._fill, name, customer, asked, personalised)

    def _fill(self, name: str, customer: bytes, asked: Asked, personalised: bool) -> Served:
        slot = self.declared.slots[name]
        if asked.document is None:
            raise NoSuchCustomer(customer.hex())
        if asked.standing is None:
            raise NotTrained("nothing was trained yet")
        shelf = self._shelf(asked.standing)
        whom = _whom(asked, asked.document)
        may = personalised and may_personalise(slot.personalised, whom)
        chosen = choose(shelf, name, slot, whom, may)
        return Served(chosen, may, shelf, asked.standing, asked.heads, asked.partition)

    def slot(self, name: str) -> Slot | None:
        """Return a slot by its name; None where there is none."""
        return self.declared.slots.get(name)

    def _has(self, standing: Standing) -> bool:
        return self._held is not None and self._held[:2] == (standing.model, standing.facts)

    def _shelf(self, standing: Standing) -> Shelf:
        held = self._held
        if held is not None and held[:2] == (standing.model, standing.facts):
            return held[2]
        # The first waits for the model; later ones are answered from the former while one thread takes it.
        if not self._taking.acquire(blocking=held is None):
            assert held is not None
            return held[2]
        try:
            return self._take(standing)
        finally:
            self._taking.release()

    def _take(self, standing: Standing) -> Shelf:
        held = self._held
        if held is not None and held[:2] == (standing.model, standing.facts):
            return held[2]
        if held is not None and held[0] == standing.model:
            model = held[2].model
        else:
            packed = self._shelves.read("model", standing.model)
            if packed is None:
                raise NotTrained("the model was replaced while it was read")
            model = Model.unpacked(packed)
        facts = self._shelves.read("facts", standing.facts)
        if facts is None:
            raise NotTrained("the catalogue was replaced while it was read")
        shelf = Shelf(model, Facts.unpacked(facts), self.declared.interests)
        self._held = standing.model, standing.facts, shelf
        return shelf


def _whom(asked: Asked, document: bytes) -> Whom:
    segments, tags = segments_and_tags(document)
    return Whom(asked.customer, segments, tags, max(0, asked.heads[asked.partition].clock))
