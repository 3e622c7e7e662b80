"""Customer ids as numbers and as bytes, and the partition that a customer is in (semantics P1)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
_PAIR = struct.Struct(">qq")


def id_bytes(high: Int64s, low: Int64s) -> bytes:
    """Return the ids' 16 big-endian bytes each, one after the other."""
    return np.column_stack([high, low]).astype(">i8").tobytes()


def id_of(high: int, low: int) -> bytes:
    """Return one id's 16 big-endian bytes.

    >>> id_of(-1, 2).hex()
    'ffffffffffffffff0000000000000002'
    """
    return _PAIR.pack(high, low)


def id_list(high: Int64s, low: Int64s) -> list[bytes]:
    """Return each id's 16 big-endian bytes."""
    packed = id_bytes(high, low)
    return [packed[at : at + 16] for at in range(0, len(packed), 16)]


def id_pairs(ids: Sequence[bytes]) -> tuple[Int64s, Int64s]:
    """Return ids of 16 bytes as signed (high, low) pairs, int64."""
    pairs = np.frombuffer(b"".join(ids), dtype=">i8").astype(np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def partitions_of(high: Int64s, low: Int64s, partitions: int) -> Int64s:
    """Return xxh3_64(id's 16 bytes) mod P of each customer, int64."""
    if partitions == 1 or len(high) == 0:
        return np.zeros(len(high), dtype=np.int64)
    packed = id_bytes(high, low)
    found = (partition_of_customer(packed[at : at + 16], partitions) for at in range(0, len(packed), 16))
    return np.fromiter(found, dtype=np.int64, count=len(high))


def partition_of_customer(customer: bytes, partitions: int) -> int:
    """Return the partition of one customer (id of 16 bytes).

    >>> partition_of_customer(bytes(16), 1)
    0
    """
    return xxhash.xxh3_64_intdigest(customer) % partitions
