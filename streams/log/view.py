"""A log as several threads read it, beside its one writer."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from streams.contract.source import Source
from streams.dead import letters
from streams.log.log import Log
from streams.personal.attributes import opened
from streams.personal.find import customers_behind, references_of

ID_DIGITS = 32


class LogView:
    """Looks up what the log's file holds beside its blocks. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._log = Log.open(folder)
        self._lock = threading.Lock()
        self.partitions = self._log.partitions

    def customers(self, named: Sequence[str]) -> list[bytes | None]:
        """Return the id (16 bytes) behind each ``type:value`` or id of 32 hex digits; None where nobody is
        known by the reference, or the text is neither."""
        references = [name for name in dict.fromkeys(named) if ":" in name]
        with self._lock:
            found = customers_behind(self._log, references)
        return [found.get(name) if ":" in name else read_id(name) for name in named]

    def references(self, customers: Sequence[bytes]) -> list[list[str]]:
        """Return the references that lead to each customer (16 bytes), strong ones first."""
        with self._lock:
            return [references_of(self._log, one) for one in customers]

    def opened(
        self, sources: Mapping[str, Source], customers: Sequence[bytes],
        attributes: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Return the attributes of each customer (16 bytes) with the personal ones readable."""
        with self._lock:
            vault = self._log.vault
            return [opened(vault, sources, *one) for one in zip(customers, attributes, strict=True)]

    def mark(self, body: bytes) -> str:
        """Return what a request's body is told by, 16 hex digits; a keyed hash, for a body may be guessed."""
        with self._lock:
            return self._log.vault.hash(body, b"place")[:8].hex()

    def dead_letters(self) -> dict[tuple[str, str], int]:
        """Return how many dead letters there are by (source, state)."""
        with self._lock:
            return letters.counts(self._log)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def read_id(text: str) -> bytes | None:
    """Return the id (16 bytes) that a text of 32 hex digits is; None where it is none.

    >>> read_id("0f" * 16) == b"\\x0f" * 16, read_id("0f " * 10 + "0f")
    (True, None)
    """
    if len(text) != ID_DIGITS:
        return None
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if len(found) == ID_DIGITS // 2 else None  # fromhex passes over spaces
