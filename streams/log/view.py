"""A log as several threads read it, beside its one writer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from streams.dead import letters
from streams.log.log import Log

ID_DIGITS = 32
_PART = 500  # references of one query


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
        found: dict[str, bytes] = {}
        for at in range(0, len(references), _PART):
            part = references[at : at + _PART]
            marks = ",".join("?" * len(part))
            query = f"SELECT reference, customer FROM reference WHERE reference IN ({marks})"  # noqa: S608
            with self._lock:
                found |= dict(self._log.connection.execute(query, part).fetchall())
        return [found.get(name) if ":" in name else _read_id(name) for name in named]

    def references(self, customers: Sequence[bytes]) -> list[list[str]]:
        """Return the references that lead to each customer (16 bytes), strong ones first."""
        query = "SELECT reference FROM reference WHERE customer = ? ORDER BY strong DESC, reference"
        with self._lock:
            return [[row[0] for row in self._log.connection.execute(query, (one,))] for one in customers]

    def dead_letters(self) -> dict[tuple[str, str], int]:
        """Return how many dead letters there are by (source, state)."""
        with self._lock:
            return letters.counts(self._log)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def _read_id(text: str) -> bytes | None:
    if len(text) != ID_DIGITS:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
