"""A secret from the environment, or a file that is made when it is first needed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from streams.errors import InputError

_LEAST = 32  # characters of a secret that somebody chose


class KeptSecret:
    """A secret: what the environment says under a name, else a file's, made on demand (mode 0600). Another
    secret ends whatever was signed with it."""

    def __init__(self, path: Path, variable: str, environment: Mapping[str, str] = os.environ) -> None:
        self._path, self._variable, self._environment = path, variable, environment
        self._seen: tuple[int, int] | None = None
        self._secret = b""

    def read(self, make: bool) -> bytes:
        """Return it; where there is none and it is not to be made, one that nobody has. Raises InputError for
        one that is too short."""
        said = self._environment.get(self._variable)
        if said is None:
            return self._kept(make)
        if len(said) < _LEAST:
            hint = f"give {_LEAST} characters or more, the same to every process"
            raise InputError(self._variable, "the secret is too short", hint)
        return said.encode()

    def _kept(self, make: bool) -> bytes:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if not make:
                return secrets.token_bytes(32)
            _write(self._path)
            found = self._path.stat()
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            self._secret, self._seen = self._path.read_bytes(), seen
        return self._secret


def _write(path: Path) -> None:
    """Make a secret, unless another process is quicker; whoever reads sees it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
