"""The vault: the shop's secret and a key for each customer, in a file beside the log (semantics P7)."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from streams.errors import InputError
from streams.log.connect import connect

FILE_NAME = "vault.sqlite"
NOBODY = bytes(16)  # whose key seals rows that wait for their customer (W8)
SECRET_BYTES = 32
KEY_BITS = 256  # AES-SIV with two halves of 128 bits (RFC 5297)
MOST_CIPHERS = 100_000  # prepared keys that are kept: those of the customers who come often
_PART = 500  # customers of one query
TABLES = """
CREATE TABLE secret (value BLOB NOT NULL);
CREATE TABLE key (
    customer BLOB NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (customer, number)
) WITHOUT ROWID;
CREATE TABLE moved (
    customer BLOB NOT NULL, former BLOB NOT NULL, PRIMARY KEY (customer, former)
) WITHOUT ROWID;
"""


class Vault:
    """An opened vault. One thread at a time may use it; the log's writer is its writer.

    The secret makes the keyed hashes by which references and keys of rows are known; it never changes. A
    customer's key seals what is personal; when it is forgotten, nobody can read that again, wherever copies
    of the log lie. What is written here is on disk on return, before the log says anything that needs it.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, write: bool) -> None:
        self._connection = connection
        self._write = write
        self._ciphers: dict[bytes, list[AESSIV]] = {}
        try:
            (self.secret,) = connection.execute("SELECT value FROM secret").fetchone()
        except (sqlite3.DatabaseError, TypeError) as error:
            connection.close()
            hint = "restore it from a copy of its own: without it no customer can be found by a reference"
            raise InputError(str(path), f"this is no vault, or it is damaged ({error})", hint) from error

    @staticmethod
    def create(folder: Path, secret: bytes | None = None) -> Vault:
        """Make a new vault; secret: 32 bytes, of another vault whose references shall be hashed alike."""
        path = folder / FILE_NAME
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = connect(path, write=True)
        connection.execute("BEGIN IMMEDIATE")
        for statement in filter(None, map(str.strip, TABLES.split(";"))):
            connection.execute(statement)
        connection.execute("INSERT INTO secret VALUES (?)", (secret or fresh_secret(),))
        connection.execute("INSERT INTO key VALUES (?, 1, ?)", (NOBODY, fresh_key(NOBODY)))
        connection.execute("COMMIT")
        return Vault(path, connection, True)

    @staticmethod
    def open(folder: Path, write: bool) -> Vault:
        """Open the folder's vault. Raises InputError if it is not there or cannot be read."""
        path = folder / FILE_NAME
        if not path.is_file():
            hint = "restore it from a copy of its own: without it no customer can be found by a reference"
            raise InputError(str(path), "the log's vault is missing", hint)
        return Vault(path, connect(path, write), write)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def hash(self, text: bytes, purpose: bytes) -> bytes:
        """Return a keyed hash of 16 bytes (BLAKE2b, RFC 7693); purpose: up to 16 bytes, keeps kinds apart."""
        return hashlib.blake2b(text, digest_size=16, key=self.secret, person=purpose).digest()

    def make_keys(self, customers: Iterable[bytes]) -> None:
        """Let each of these customers (ids of 16 bytes) have a key."""
        wanted = {customer for customer in customers if customer not in self._ciphers}
        missing = wanted - self._read(wanted).keys()
        if missing:
            with self._transaction():
                fresh = [(customer, fresh_key(customer)) for customer in sorted(missing)]
                self._connection.executemany("INSERT INTO key VALUES (?, 1, ?)", fresh)

    def ciphers(self, customers: Iterable[bytes]) -> dict[bytes, list[AESSIV]]:
        """Return the ciphers of those of these customers who have a key, the newest first."""
        wanted = set(customers)
        found = {customer: self._ciphers[customer] for customer in wanted & self._ciphers.keys()}
        for customer, keys in self._read(wanted - found.keys()).items():
            found[customer] = [AESSIV(key) for key in keys]
        if self._write:  # another process cannot know when a key is forgotten
            if len(self._ciphers) > MOST_CIPHERS:
                self._ciphers.clear()
            self._ciphers.update(islice(found.items(), MOST_CIPHERS))
        return found

    def note_moves(self, moves: Iterable[tuple[bytes, bytes]]) -> None:
        """Note (customer, former): sealed rows moved here, and their older records are the former's."""
        rows = sorted(set(moves))
        if rows:
            with self._transaction():
                self._connection.executemany("INSERT OR IGNORE INTO moved VALUES (?, ?)", rows)

    def keys(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield (customer, number, key) of every key but nobody's."""
        query = "SELECT customer, number, value FROM key WHERE customer <> ? ORDER BY customer, number"
        yield from self._connection.execute(query, (NOBODY,))

    def moves(self) -> list[tuple[bytes, bytes]]:
        """Return (customer, former) of all that was noted."""
        return self._connection.execute("SELECT customer, former FROM moved ORDER BY 1, 2").fetchall()

    def keep(self, customer: bytes, number: int, key: bytes) -> None:
        """Keep a key that was made elsewhere, in the place of what is here."""
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO key VALUES (?, ?, ?)", (customer, number, key))
        self._drop_ciphers([customer])

    def formers(self, customer: bytes) -> list[bytes]:
        """Return everybody under whose key older records of a customer's rows may lie, directly or not."""
        found, open_ = {customer}, [customer]
        while open_:
            query = "SELECT former FROM moved WHERE customer = ?"
            for (former,) in self._connection.execute(query, (open_.pop(),)).fetchall():
                if former not in found:
                    found.add(former)
                    open_.append(former)
        return sorted(found - {customer})

    def renew(self, customers: Sequence[bytes]) -> None:
        """Give customers a newer key, which seals from now on; the older ones can still be read."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO key SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM key WHERE customer = ?1",
                [(customer, fresh_key(customer)) for customer in customers],
            )
        self._drop_ciphers(customers)

    def forget(self, customers: Sequence[bytes], but_newest: bool = False) -> None:
        """Forget the keys of customers, or all but the newest: what they sealed cannot be read again.

        The file keeps no trace of them.
        """
        newest = "number < (SELECT max(number) FROM key WHERE customer = ?1)" if but_newest else "1"
        with self._transaction():
            for customer in customers:
                self._connection.execute(f"DELETE FROM key WHERE customer = ?1 AND {newest}", (customer,))  # noqa: S608
                if not but_newest:
                    self._connection.execute("DELETE FROM moved WHERE customer = ?", (customer,))
        self._drop_ciphers(customers)
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _drop_ciphers(self, customers: Sequence[bytes]) -> None:
        for customer in customers:
            self._ciphers.pop(customer, None)

    def _read(self, customers: Iterable[bytes]) -> dict[bytes, list[bytes]]:
        """Return the keys of those of these customers who have some, the newest first."""
        wanted, found = sorted(customers), dict[bytes, list[bytes]]()
        for at in range(0, len(wanted), _PART):
            part = wanted[at : at + _PART]
            marks = ",".join("?" * len(part))
            query = f"SELECT customer, value FROM key WHERE customer IN ({marks}) ORDER BY number DESC"  # noqa: S608
            for customer, value in self._connection.execute(query, part):
                found.setdefault(customer, []).append(value)
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # also Ctrl-C: nothing half written may stay
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def fresh_secret() -> bytes:
    """Return a new secret."""
    return os.urandom(SECRET_BYTES)


def fresh_key(customer: bytes) -> bytes:
    """Return a new key for a customer, of which it says nothing."""
    return AESSIV.generate_key(KEY_BITS)
