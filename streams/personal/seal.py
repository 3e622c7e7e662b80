"""Sealing: a text under its customer's key, and back.

AES-SIV (RFC 5297) gives equal texts of one customer and one column equal seals, so a row that comes again is
seen to be the same; for another customer or column the seal is another.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.personal.vault import Vault

PREFIX = "sealed:"
REFERENCE = "reference"  # what a sealed reference is about
TEXT = pa.large_string()


def personal_columns(source: Source) -> list[str]:
    """Return the names of a source's personal columns."""
    return [name for name, column in carried_columns(source).items() if column.personal]


def about(source: str, column: str) -> str:
    """Return what a column's seals are about: none fits into another column."""
    return f"{source}.{column}"


def seal(
    vault: Vault, what: str, customers: Sequence[bytes], texts: Sequence[str | None]
) -> list[str | None]:
    """Return each text sealed under its customer's key, made where there is none; None stays None."""
    vault.make_keys(customers)
    ciphers = vault.ciphers(customers)
    data = [what.encode()]
    sealed: list[str | None] = []
    for customer, text in zip(customers, texts, strict=True):
        raw = None if text is None else ciphers[customer][0].encrypt(text.encode(), data)
        sealed.append(None if raw is None else PREFIX + base64.b64encode(raw).decode())
    return sealed


def unseal(
    vault: Vault, what: str, customers: Sequence[bytes], sealed: Sequence[str | None]
) -> list[str | None]:
    """Return what was sealed; None where it was, or where nobody can read it any more."""
    ciphers = vault.ciphers(customers)
    data = [what.encode()]
    found: list[str | None] = []
    for customer, text in zip(customers, sealed, strict=True):
        readable = text is not None and text.startswith(PREFIX)
        raw = base64.b64decode(text[len(PREFIX) :]) if text is not None and readable else b""
        found.append(_opened(ciphers.get(customer, []), raw, data) if readable else None)
    return found


def _opened(ciphers: Sequence[AESSIV], raw: bytes, data: list[bytes]) -> str | None:
    for cipher in ciphers:
        try:
            return cipher.decrypt(raw, data).decode()
        except InvalidTag:  # sealed under another key of the customer, or one that was forgotten
            continue
    return None


def seal_columns(vault: Vault, source: Source, columns: pa.Table, customers: Sequence[bytes]) -> pa.Table:
    """Return a table with its personal columns sealed, each row under its customer's key."""
    return _changed(seal, vault, source, columns, customers)


def unseal_columns(vault: Vault, source: Source, columns: pa.Table, customers: Sequence[bytes]) -> pa.Table:
    """Return a table as it was before `seal_columns`."""
    return _changed(unseal, vault, source, columns, customers)


def _changed(
    change: Callable[[Vault, str, Sequence[bytes], Sequence[str | None]], list[str | None]],
    vault: Vault, source: Source, columns: pa.Table, customers: Sequence[bytes],
) -> pa.Table:  # fmt: skip
    there = columns.column_names
    for name in [name for name in personal_columns(source) if name in there]:  # a block may be older
        at = there.index(name)
        texts = change(vault, about(source.name, name), customers, columns.column(at).to_pylist())
        columns = columns.set_column(at, name, pa.chunked_array([pa.array(texts, TEXT)]))
    return columns
