"""Opening one of the log's SQLite files."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def connect(path: Path, write: bool, make: bool = False) -> sqlite3.Connection:
    """Open a file for reading, or as its writer: synced at each commit, and what is deleted is overwritten.

    make: where there is none. Transactions are the caller's; any thread may call, one at a time.
    """
    mode = ("rwc" if make else "rw") if write else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    if write:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # else it would only be unlinked
    return connection
