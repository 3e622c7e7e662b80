"""Where sources stand in each lane of a batch: a row without a position takes the last one of its lane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.log.lanes import Lanes
from streams.message import Message

Int64s = NDArray[np.int64]


class DeskLanes(Lanes):
    """``positions``: by lane of each source its epoch and last position, as the batch moves them on."""

    are_requests = True

    def __init__(self, positions: Mapping[str, Mapping[str, tuple[int, int]]]) -> None:
        """positions: by lane, in the order in which their messages come, as of `streams.shared.index`."""
        self.positions = {lane: dict(stands) for lane, stands in positions.items()}
        self._numbers = {lane: number for number, lane in enumerate(positions)}
        self._names = list(positions)
        self._starts = np.zeros(len(positions), dtype=np.int64)

    def begin(self, starts: Int64s) -> None:
        """Hear at which row each lane's first one is."""
        self._starts = starts

    def of_rows(self, rows: Int64s) -> Int64s:
        """Return the lane of each row."""
        return np.searchsorted(self._starts, rows, side="right") - 1

    def of_message(self, message: Message) -> int:
        """Return the lane of a message: its place is ``topic/partition/offset``."""
        return self._numbers[message.place.rpartition("/")[0]]

    def stands(self, source: str) -> Int64s:
        """Return where a source stands in each lane."""
        found = [stands.get(source, (0, 0)) for stands in self.positions.values()]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def advance(self, source: str, lane: int, position: int) -> None:
        """Note a source's newest position in a lane."""
        stands = self.positions[self._names[lane]]
        stands[source] = (stands.get(source, (0, 0))[0], position)
