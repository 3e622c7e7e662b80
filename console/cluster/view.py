"""Customers in the shared index, by what they are called, and their keys in the shared vault."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from console.problems import refuse
from streams.contract.source import Source
from streams.log.view import read_id
from streams.personal.attributes import opened
from streams.personal.conceal import hide
from streams.shared.called import references_of
from streams.shared.index import Index
from streams.shared.vault import SharedVault


class SharedView:
    """A shop's; a `console.form.View`. Every method may be called from any thread.

    Keys are read anew for each request: a vault that lives on would still have those of who was erased.
    """

    def __init__(self, index: Index, secret: bytes) -> None:
        self._index, self._secret = index, secret
        self._names = SharedVault(secret, index)  # hashes only

    def _vault(self) -> contextlib.closing[SharedVault]:
        return contextlib.closing(SharedVault(self._secret, self._index))

    def customers(self, named: Sequence[str]) -> list[bytes | None]:
        """Return the id (16 bytes) behind each ``type:value`` or id of 32 hex digits; None where nobody is
        known by the reference, or the text is neither.

        Raises Problem where one is not found and the index is not whole: it may be somebody's all the same.
        """
        references = [name for name in dict.fromkeys(named) if ":" in name]
        entries = self._index.references([hide(self._names, one) for one in references])
        ids = [None if raw is None else raw[1:17] for raw in entries]
        found = dict(zip(references, ids, strict=True))
        if None in entries and self._index.life() is None:
            refuse("not-ready", "the index is not whole since the store was started, or emptied",
                   "workers fill it with the next row that comes; ask by id, or try again")  # fmt: skip
        return [found[name] if ":" in name else read_id(name) for name in named]

    def references(self, customers: Sequence[bytes]) -> list[list[str]]:
        """Return the references that lead to each customer (16 bytes), strong ones first."""
        with self._vault() as vault:
            return references_of(self._index, vault, customers)

    def opened(
        self, sources: Mapping[str, Source], customers: Sequence[bytes],
        attributes: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Return the attributes of each customer (16 bytes) with the personal ones readable; None of who is
        erased."""
        with self._vault() as vault:
            vault.ciphers(customers)  # all at once
            return [opened(vault, sources, *one) for one in zip(customers, attributes, strict=True)]

    def mark(self, body: bytes) -> str:
        """Return what a request's body is told by, 16 hex digits; a keyed hash, for a body may be guessed."""
        return self._names.hash(body, b"place")[:8].hex()
