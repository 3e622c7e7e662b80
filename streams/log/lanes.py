"""In which order rows came: those of one lane one after the other, those of different lanes as it happens."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from streams.message import Message

Int64s = NDArray[np.int64]


class Lanes:
    """All comes in one order: a log that one process writes has one lane.

    ``are_requests``: each request that is taken in is a lane of its own.
    """

    are_requests = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(self, starts: Int64s) -> None:
        """Hear at which row each request's first one is. starts: int64, shape (requests,), ascending."""

    def of_rows(self, rows: Int64s) -> Int64s:
        """Return the lane of each row (int64, its place among those that are taken in together)."""
        return np.zeros(len(rows), dtype=np.int64)

    def of_message(self, message: Message) -> int:
        """Return the lane in which a message came."""
        return 0

    def stands(self, source: str) -> Int64s:
        """Return where a source stands in each lane: epoch and last position; int64, shape (lanes, 2)."""
        query = "SELECT epoch, position FROM source WHERE name = ?"
        found = self._connection.execute(query, (source,)).fetchone()
        return np.array([found or (0, 0)], dtype=np.int64)

    def advance(self, source: str, lane: int, position: int) -> None:
        """Note a source's newest position in a lane, inside the caller's transaction."""
        self._connection.execute("INSERT OR IGNORE INTO source (name) VALUES (?)", (source,))
        self._connection.execute("UPDATE source SET position = ? WHERE name = ?", (position, source))
