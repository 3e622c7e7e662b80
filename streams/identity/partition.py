"""Customer ids as numbers and as bytes, and the partition that a customer is in (semantics P1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xxhash
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


def id_bytes(high: Int64s, low: Int64s) -> bytes:
    """Return the ids' 16 big-endian bytes each, one after the other."""
    return np.column_stack([high, low]).astype(">i8").tobytes()


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
    # Rows are many, customers few: hash each customer once.
    codes, customers = pd.factorize(pd.MultiIndex.from_arrays([high, low]))
    unique_high = customers.get_level_values(0).to_numpy(dtype=np.int64)
    unique_low = customers.get_level_values(1).to_numpy(dtype=np.int64)
    packed = id_bytes(unique_high, unique_low)
    hashes = [xxhash.xxh3_64_intdigest(packed[at : at + 16]) % partitions for at in range(0, len(packed), 16)]
    return np.array(hashes, dtype=np.int64)[codes]
