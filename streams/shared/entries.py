"""What the shared index says of one row, as bytes: the columns of the directory, and a parked row."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

# The three that say which of two entries is newer stand first, big-endian: bytes compare as they do.
COLUMNS = (
    "epoch", "position", "offset", "customer_high", "customer_low", "alive", "content", "step",
    "parent_high", "parent_low",
)  # fmt: skip
SIZE = 8 * len(COLUMNS)
NEWER_BY = 24  # bytes of an entry that say which is newer
_TABLE = (
    "customer_high", "customer_low", "alive", "content", "epoch", "position", "offset", "step", "parent_high",
    "parent_low",
)  # fmt: skip
_PLACE = struct.Struct(">qqq")
_TO_ENTRY = [_TABLE.index(name) for name in COLUMNS]
_TO_TABLE = [COLUMNS.index(name) for name in _TABLE]


def pack(rows: Int64s) -> list[bytes]:
    """Return entries of directory rows; int64, shape (rows, 10), in the order of the table's columns."""
    packed = np.ascontiguousarray(rows[:, _TO_ENTRY]).astype(">i8").tobytes()
    return [packed[at : at + SIZE] for at in range(0, len(packed), SIZE)]


def unpack(entries: Sequence[bytes]) -> Int64s:
    """Return directory rows of entries; int64, shape (entries, 10), in the order of the table's columns."""
    numbers = np.frombuffer(b"".join(entries), dtype=">i8").astype(np.int64).reshape(-1, len(COLUMNS))
    return numbers[:, _TO_TABLE]


@dataclass(frozen=True)
class Parked:
    """A parked row: numbers as of the table ``parked`` behind its key, and its sealed body."""

    parent_high: int
    parent_low: int
    content: int
    epoch: int
    position: int
    offset: int
    body: str

    def pack(self) -> bytes:
        """Return it as bytes, which begin as an entry's do."""
        place = _PLACE.pack(self.epoch, self.position, max(self.offset, 0))
        return place + msgspec.msgpack.encode(self.values())

    def values(self) -> list[Any]:
        """Return what follows the key in the table."""
        return [self.parent_high, self.parent_low, self.content, self.epoch, self.position, self.offset,
                self.body]  # fmt: skip

    @staticmethod
    def unpack(raw: bytes) -> Parked:
        """Return what `pack` made bytes of."""
        return Parked(*msgspec.msgpack.decode(raw[NEWER_BY:]))
