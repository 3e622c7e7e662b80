"""Finding customers by what they are called, and what they are called by: through the vault."""

from __future__ import annotations

from collections.abc import Sequence

from streams.log.log import Log
from streams.personal.conceal import hide
from streams.personal.seal import REFERENCE, unseal

_PART = 500  # references of one query


def customers_behind(log: Log, references: Sequence[str]) -> dict[str, bytes]:
    """Return the ids (16 bytes) of those references ``type:value`` that somebody is known by."""
    asked = {hide(log.vault, reference): reference for reference in references}
    hidden, found = list(asked), dict[str, bytes]()
    for at in range(0, len(hidden), _PART):
        part = hidden[at : at + _PART]
        marks = ",".join("?" * len(part))
        query = f"SELECT reference, customer FROM reference WHERE reference IN ({marks})"  # noqa: S608
        for reference, customer in log.connection.execute(query, part):
            found[asked[reference]] = customer
    return found


def references_of(log: Log, customer: bytes) -> list[str]:
    """Return the references that lead to a customer (id of 16 bytes), strong ones first."""
    query = "SELECT sealed, strong FROM reference WHERE customer = ?"
    rows = log.connection.execute(query, (customer,)).fetchall()
    texts = unseal(log.vault, REFERENCE, [customer] * len(rows), [sealed for sealed, _ in rows])
    found = [(not strong, text) for text, (_, strong) in zip(texts, rows, strict=True) if text is not None]
    return [text for _, text in sorted(found)]
