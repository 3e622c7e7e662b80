"""What an import did, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from streams.reject import Rejected

Phase = Literal["read", "check", "place", "write"]


@dataclass(frozen=True)
class Progress:
    """How far an import is. rows: done in this phase; bytes, of all files so far, count in ``read``."""

    phase: Phase
    rows: int
    done_bytes: int
    total_bytes: int


ProgressCallback = Callable[[Progress], None]


@dataclass
class ImportReport:
    """Rows by what became of them. ``rows`` is the sum of new, updated, moved, unchanged, older,
    superseded, deleted, unknown_deletes, rejected, parked and without_customer.

    older: changes at or before the position that their row has already (semantics W1);
    superseded: a later row of the same import has the same key; moved: updated rows that changed their
    customer (or, of tags and consent, what they are about); released: parked rows whose parent came;
    dragged: rows that moved, or were dated anew, with their parent; conflicts: combinations of references
    of different customers; skipped_times, doubled_times: local times that did not exist or occurred twice;
    records: all that was written to the log, ticks included.
    """

    rows: int = 0
    new: int = 0
    updated: int = 0
    moved: int = 0
    unchanged: int = 0
    older: int = 0
    superseded: int = 0
    deleted: int = 0
    unknown_deletes: int = 0
    rejected: int = 0
    parked: int = 0
    without_customer: int = 0
    released: int = 0
    dragged: int = 0
    conflicts: int = 0
    skipped_times: int = 0
    doubled_times: int = 0
    records: int = 0
    seconds: float = 0.0
    files: list[str] = field(default_factory=list)
    first_rejected: list[Rejected] = field(default_factory=list)
    rejected_files: list[Path] = field(default_factory=list)
