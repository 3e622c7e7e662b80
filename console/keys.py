"""Keys of the API: who may read, who may write. Only a hash of each is kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from streams.errors import InputError

FILE_NAME = "keys.json"
SCOPES = ("read", "write", "personal", "inbox", "stop")
FIRST = ("read", "write")  # of the keys that are made at the first start
_PREFIX = "tt"
_SECRET_BYTES = 32  # 256 bits: no need for a slow hash, nobody guesses it
_NOBODY = hashlib.sha256(b"").hexdigest()


class Key(msgspec.Struct, frozen=True):
    """A key as it is kept. digest: SHA-256 of the whole key in hex; made: ISO 8601, UTC."""

    id: str
    name: str
    scopes: list[str]
    digest: str
    made: str


class Keyring:
    """The keys of one data folder, in ``keys.json``, which only its owner may read (mode 0600).

    A file that another process changed is read again at the next look.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE_NAME
        self._seen: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}

    def list(self) -> Sequence[Key]:
        """Return the keys, in the order in which they were made."""
        return list(self._read().values())

    def find(self, given: str) -> Key | None:
        """Return the key that ``given`` is, or None; it takes equally long for every wrong one."""
        prefix, _, rest = given.partition("_")
        name, _, _ = rest.partition("_")
        key = self._read().get(name) if prefix == _PREFIX else None
        same = hmac.compare_digest(_digest(given), key.digest if key else _NOBODY)
        return key if same else None

    def add(self, name: str, scopes: Sequence[str]) -> str:
        """Make a key and return it: it is shown now and never again. Raises InputError for a wrong scope."""
        for scope in scopes:
            if scope not in SCOPES:
                hint = "write read, write, personal, inbox or stop"
                raise InputError("--scope", f"'{scope}' is no scope", hint)
        with self._changing() as keys:
            made = secrets.token_hex(4)
            while made in keys:
                made = secrets.token_hex(4)
            secret = f"{_PREFIX}_{made}_{secrets.token_urlsafe(_SECRET_BYTES)}"
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            keys[made] = Key(made, name, list(scopes), _digest(secret), now)
        return secret

    def revoke(self, name: str) -> Key:
        """Take a key away, by its id. Raises InputError if there is none."""
        with self._changing() as keys:
            if name not in keys:
                raise InputError(name, "there is no such key", "see the ids: tintype keys SHOP list")
            return keys.pop(name)

    def begin(self) -> dict[str, str]:
        """At the first start make one key of each scope; return scope to key, empty at later starts."""
        if self._path.exists():
            return {}
        return {scope: self.add(f"first {scope} key", [scope]) for scope in FIRST}

    def _read(self) -> dict[str, Key]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return {}
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            try:
                keys = msgspec.json.decode(self._path.read_bytes(), type=list[Key])
            except msgspec.MsgspecError as error:
                hint = "bring the file back, or delete it: two new keys are made at the next start"
                raise InputError(str(self._path), f"is no list of keys ({error})", hint) from None
            self._keys, self._seen = {key.id: key for key in keys}, seen
        return self._keys

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """Yield the keys to change; write them whole, or not at all if it raises. One process at a time."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = dict(self._read())
            yield keys
            self._write(msgspec.json.format(msgspec.json.encode(list(keys.values()))))
        finally:
            os.close(lock)

    def _write(self, text: bytes) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
