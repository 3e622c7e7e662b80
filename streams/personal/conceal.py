"""Concealing: references, and keys of rows that name a person, become keyed hashes before they are kept.

Changes are concealed once, right behind their contract, and on every way into the log; from there on a
reference is ``type:32 hex digits``, and only the vault's secret leads from a reference to it. Personal
columns stay readable until the row is placed at its customer, and are sealed when its record is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from streams.change import DELETE, Changes, nothing
from streams.contract.check import parent_keys
from streams.contract.keys import joined_texts
from streams.contract.source import Source
from streams.contract.values import encode
from streams.identity.partition import id_list, id_pairs
from streams.personal.seal import personal_columns
from streams.personal.vault import Vault

Int64s = NDArray[np.int64]
TEXT = pa.large_string()
MOST_NAMES = 200_000


class Names:
    """The references that were concealed lately, so that each is hashed once and a new one can be sealed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._hidden: dict[str, str] = {}
        self._plain: dict[str, str] = {}

    def begin(self) -> None:
        """Forget names if they are many; those of the rows at hand must stay until they are written."""
        if len(self._hidden) > MOST_NAMES:
            self.forget()

    def forget(self) -> None:
        """Forget all names."""
        self._hidden.clear()
        self._plain.clear()

    def hidden(self, reference: str) -> str:
        """Return ``type:`` and the keyed hash of a reference ``type:value``, 32 hex digits."""
        found = self._hidden.get(reference)
        if found is None:
            found = self._hidden[reference] = hide(self._vault, reference)
            self._plain[found] = reference
        return found

    def plain(self, hidden: str) -> str:
        """Return the reference that was hidden, if that was lately. Raises KeyError."""
        return self._plain[hidden]


def hide(vault: Vault, reference: str) -> str:
    """Return what a reference ``type:value`` is known by in the log."""
    kind = reference.partition(":")[0]
    return f"{kind}:{vault.hash(reference.encode(), b'reference').hex()}"


def names_person(source: Source) -> bool:
    """Say whether a row's key holds what names its customer, or what is personal."""
    named = {reference.column for reference in source.references}
    named |= {column.source_name or name for name, column in source.columns.items() if column.personal}
    return bool(named & set(source.key))


def conceal(vault: Vault, names: Names, sources: Mapping[str, Source], changes: Changes) -> Changes:
    """Return checked changes as the log may keep them; personal columns are still as they came."""
    source = sources[changes.source]
    references = [_hidden_texts(names, column) for column in changes.references]
    key_high, key_low = changes.key_high, changes.key_low
    if names_person(source):
        key_high, key_low = _hidden_keys(vault, key_high, key_low)
    parent_high, parent_low, parent = changes.parent_high, changes.parent_low, changes.parent
    if source.via is not None and names_person(sources[source.via.source]):
        there = parent.is_valid().to_numpy()
        parent_high, parent_low = _hidden_keys(vault, parent_high, parent_low)
        parent_high, parent_low = np.where(there, parent_high, 0), np.where(there, parent_low, 0)
        parent = parent_texts(source.via.source, parent_high, parent_low, there)
    hidden = replace(
        changes, references=references, key_high=key_high, key_low=key_low, parent_high=parent_high,
        parent_low=parent_low, parent=parent,
    )  # fmt: skip
    return replace(hidden, content=content_of(vault, source, hidden))


def content_of(vault: Vault, source: Source, changes: Changes) -> Int64s:
    """Hash all that the log keeps of each row, so that a changed row is seen; 0 for deletes. int64.

    xxh3_64; where it covers personal columns a keyed hash, for what is short could be guessed.
    """
    if not len(changes):
        return np.zeros(0, dtype=np.int64)
    numbers = [pa.chunked_array([pa.array(changes.event_us)]), *changes.columns.columns]
    parts = [*(column.cast(TEXT) for column in numbers), *changes.references, changes.parent]
    texts = joined_texts(parts).to_pylist()
    if personal_columns(source):
        digests = b"".join(vault.hash(text.encode(), b"content")[:8] for text in texts)
        hashes = np.frombuffer(digests, dtype=np.int64)
    else:
        numbered = (xxhash.xxh3_64_intdigest(text.encode()) for text in texts)
        hashes = np.fromiter(numbered, dtype=np.uint64, count=len(texts)).view(np.int64)
    return np.where(changes.op == DELETE, 0, hashes)


def parent_texts(source: str, high: Int64s, low: Int64s, there: NDArray[np.bool_]) -> pa.ChunkedArray:
    """Return ``source:key`` of concealed keys, the key as 32 hex digits; null where there is none."""
    keys = zip(id_list(high, low), there.tolist(), strict=True)
    texts = [f"{source}:{key.hex()}" if is_there else None for key, is_there in keys]
    return pa.chunked_array([pa.array(texts, TEXT)])


def keys_of_parents(parent: Source, texts: pa.ChunkedArray) -> tuple[Int64s, Int64s]:
    """Return (high, low) of the keys in texts ``source:key``, as a record has them; 0, 0 for null."""
    if not names_person(parent):
        keys = pc.utf8_slice_codeunits(texts, len(parent.name) + 1)
        high, low, _, _ = parent_keys(parent, keys)
        return np.where(texts.is_null(), 0, high), np.where(texts.is_null(), 0, low)
    named = texts.to_pylist()
    return id_pairs([bytes(16) if text is None else bytes.fromhex(text.rpartition(":")[2]) for text in named])


def _hidden_texts(names: Names, column: pa.ChunkedArray) -> pa.ChunkedArray:
    encoded = encode(column)
    if not encoded.texts:
        return nothing(len(column))
    hidden = pa.array([*(names.hidden(text) for text in encoded.texts), None], TEXT)
    return pa.chunked_array([hidden.take(pa.array(encoded.codes % len(hidden)))])


def _hidden_keys(vault: Vault, high: Int64s, low: Int64s) -> tuple[Int64s, Int64s]:
    return id_pairs([vault.hash(key, b"key") for key in id_list(high, low)])
