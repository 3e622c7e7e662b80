"""What messages need of customers in a cluster: addresses and readable values, a batch at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from sinks.channels.courier import called, of_type
from sinks.deliveries.delivery import Away, Queued
from sinks.store.store import is_away
from streams.contract.source import Source
from streams.personal.attributes import opened_values, personal_metrics
from streams.personal.conceal import hide
from streams.shared.called import references_of
from streams.shared.index import Index
from streams.shared.vault import SharedVault


class Addresses:
    """Of the shared index; one thread's. Keys are read anew for each batch: somebody may have been erased."""

    def __init__(self, index: Index, secret: bytes, sources: Mapping[str, Source]) -> None:
        self._index, self._secret = index, secret
        self._sealed = personal_metrics(sources)
        self._references: dict[str, list[str]] = {}
        self._vault: SharedVault | None = None

    def prepare(self, rows: Sequence[Queued]) -> None:
        """Fetch what the messages of these deliveries need. Raises Away."""
        self.prepare_for([row.decision.customer for row in rows])

    def prepare_for(self, whom: Sequence[str]) -> None:
        """Fetch what messages to these customers need. Raises Away."""
        customers = [bytes.fromhex(one) for one in dict.fromkeys(whom)]
        self.close()
        vault = self._vault = SharedVault(self._secret, self._index)
        try:
            if self._index.life() is None:
                raise Away("the index is not whole since the store was started, or emptied; workers fill it "
                           "with the next row that comes")  # fmt: skip
            found = references_of(self._index, vault, customers)
            vault.ciphers(customers)  # of who is called nothing, too: all at once
        except redis.RedisError as error:
            if not is_away(error):
                raise
            raise Away(f"the profile store: {error}") from error
        self._references = {one.hex(): held for one, held in zip(customers, found, strict=True)}

    def address(self, customer: str, kind: str) -> str | None:
        """Return a reference of a type, any when empty, of somebody who was prepared for; or None."""
        return of_type(self._references[customer], kind)

    def name(self, customer: str) -> str:
        """Return what people call somebody who was prepared for (`sinks.channels.courier.called`)."""
        return called(self._references[customer], customer)

    def readable(self, customer: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values of a decision with those of personal attributes readable, or None."""
        assert self._vault is not None  # `prepare` made it
        return opened_values(self._vault, self._sealed, bytes.fromhex(customer), values)

    def customers_at(self, references: Sequence[str]) -> list[str]:
        """Return who is known by some of these references ``type:value``, as 32 hex digits. Raises Away where
        nobody is and the index is not whole, and redis.RedisError."""
        if not references:
            return []
        with contextlib.closing(SharedVault(self._secret, self._index)) as vault:
            found = self._index.references([hide(vault, one) for one in references])
        known = sorted({one[1:17].hex() for one in found if one is not None})
        if not known and self._index.life() is None:
            raise Away("nobody is known by the address of an answer, and the index is not whole")
        return known

    def close(self) -> None:
        """Forget the keys of the last batch."""
        self._references = {}
        if self._vault is not None:
            self._vault.close()
            self._vault = None
