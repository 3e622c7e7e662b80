"""The vault that workers share: the secret comes from outside, customers' keys lie wrapped in the index.

A key is wrapped (AES-SIV, RFC 5297) under one that follows from the secret, so that neither the store nor the
topic of keys can be read without it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from streams.errors import InputError
from streams.personal import vault
from streams.personal.vault import NOBODY, SECRET_BYTES, TABLES, Vault
from streams.shared.index import Index

SECRET = "TINTYPE_SECRET"  # noqa: S105 - the variable's name
SURE, UNSURE = b"=", b"?"  # the marks before a value: whether its record is in the log


def read_secret() -> bytes:
    """Return the shop's secret from the environment. Raises InputError where it is not there or no secret."""
    text = os.environ.get(SECRET, "")
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        digits = 2 * SECRET_BYTES
        hint = f"set it to {digits} hex digits, the same for every worker; one is made by: tintype secret"
        raise InputError(SECRET, "the shop's secret is not set, or is none", hint)
    return secret


def nobodys_key(secret: bytes) -> bytes:
    """Return the key that seals what is personal in rows that wait for their customer."""
    return hashlib.blake2b(key=secret, person=b"nobody", digest_size=32).digest()


class Wrap:
    """Wraps customers' keys under the secret."""

    def __init__(self, secret: bytes) -> None:
        derived = hashlib.blake2b(key=secret, person=b"wrap", digest_size=32).digest()
        self._cipher = AESSIV(derived)

    def wrap(self, customer: bytes, key: bytes) -> bytes:
        """Return a key as it may lie in the store and in a topic."""
        return self._cipher.encrypt(key, [customer])

    def unwrap(self, customer: bytes, wrapped: bytes) -> bytes:
        """Return the key. Raises cryptography's InvalidTag under another secret."""
        return self._cipher.decrypt(wrapped, [customer])


class SharedVault(Vault):
    """A vault for one batch: what it lacks comes from the index, what it makes is to be reserved there."""

    def __init__(self, secret: bytes, index: Index) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        for statement in filter(None, map(str.strip, TABLES.split(";"))):
            connection.execute(statement)
        connection.execute("INSERT INTO secret VALUES (?)", (secret,))
        super().__init__(Path("vault"), connection, True)
        self._index = index
        self._wrap = Wrap(secret)
        self._asked: set[bytes] = set()
        self._made: dict[bytes, bytes] = {}
        self._unsure: dict[bytes, bytes] = {}  # reserved by somebody, perhaps in no log
        self._renewed: list[bytes] = []
        self.begin()

    def begin(self) -> None:
        """Forget what the last batch had, but for keys that are sure."""
        self._connection.execute("DELETE FROM key")
        self._connection.execute("DELETE FROM moved")
        self._connection.execute("INSERT INTO key VALUES (?, 1, ?)", (NOBODY, nobodys_key(self.secret)))
        self._asked = {NOBODY}
        self._drop_ciphers([*self._unsure, *self._made])
        self._unsure.clear()
        self._made.clear()
        self._renewed.clear()

    def let_go(self) -> None:
        """Forget every key: lanes are let go, and a customer may be erased before they are claimed again."""
        self.begin()
        self._ciphers.clear()

    def make_keys(self, customers: Iterable[bytes]) -> None:
        """Let each of these customers (ids of 16 bytes) have a key."""
        wanted = {customer for customer in customers if customer not in self._ciphers}
        for customer in sorted(wanted - self._read(wanted).keys()):
            self._made[customer] = vault.fresh_key(customer)
            self._connection.execute("INSERT INTO key VALUES (?, 1, ?)", (customer, self._made[customer]))

    def news(self) -> list[tuple[bytes, bytes]]:
        """Return (customer, wrapped key) of the keys whose record is to be written with this batch."""
        return [
            (one, self._wrap.wrap(one, key)) for one, key in sorted({**self._unsure, **self._made}.items())
        ]

    def formers(self, customer: bytes) -> list[bytes]:
        """Return everybody under whose key older records of a customer's rows may lie, directly or not."""
        found, open_ = {customer}, [customer]
        while open_:
            fresh = {former for formers in self._index.formers(open_) for former in formers} - found
            found |= fresh
            open_ = sorted(fresh)
        return sorted(found - {customer})

    def renew(self, customers: Sequence[bytes]) -> None:
        """Give customers a newer key, which seals from now on; the older ones can still be read."""
        self._read(customers)
        super().renew(customers)
        self._renewed += customers

    def renewed(self) -> list[tuple[bytes, int, bytes]]:
        """Return (customer, number, wrapped key) of the newer keys."""
        found = [(one, number, key) for one, number, key in self.keys() if one in self._renewed]
        newest = {one: (number, key) for one, number, key in found}  # numbers ascend
        return [(one, number, self._wrap.wrap(one, key)) for one, (number, key) in sorted(newest.items())]

    def numbers(self, customers: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """Return (customer, number) of every key that these customers have."""
        self._read(customers)
        return [(one, number) for one, number, _ in self.keys() if one in customers]

    def moves(self) -> list[tuple[bytes, bytes]]:
        """Return (customer, former) of what was noted with this batch."""
        return list(self._connection.execute("SELECT customer, former FROM moved"))

    def _read(self, customers: Iterable[bytes]) -> dict[bytes, list[bytes]]:
        wanted = set(customers)
        unknown = sorted(wanted - self._asked)
        self._asked.update(unknown)
        for customer, fields in zip(unknown, self._index.fields("key", unknown), strict=True):
            for number, value in fields.items():
                key = self._wrap.unwrap(customer, value[1:])
                self._connection.execute("INSERT INTO key VALUES (?, ?, ?)", (customer, int(number), key))
                if value[:1] == UNSURE:
                    self._unsure[customer] = key
        return super()._read(wanted)
