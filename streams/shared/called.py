"""What customers are called, in the shared index: sealed there, readable with their keys."""

from __future__ import annotations

from collections.abc import Sequence

from streams.personal.seal import REFERENCE, unseal
from streams.shared.index import Index
from streams.shared.vault import SharedVault


def references_of(index: Index, vault: SharedVault, customers: Sequence[bytes]) -> list[list[str]]:
    """Return the references (``type:value``) that lead to each customer (16 bytes), strong ones first; none
    of who is erased. Raises redis.RedisError."""
    entries = index.fields("of", customers)
    whose = [customer for customer, held in zip(customers, entries, strict=True) for _ in held]
    said = [one for held in entries for one in held.values()]
    texts = unseal(vault, REFERENCE, whose, [one[1:].decode() for one in said])
    found: dict[bytes, list[tuple[bool, str]]] = {customer: [] for customer in customers}
    for customer, one, text in zip(whose, said, texts, strict=True):
        if text is not None:
            found[customer].append((one[:1] != b"s", text))
    return [[text for _, text in sorted(set(found[customer]))] for customer in customers]
