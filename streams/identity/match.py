"""Finds 128-bit keys among others."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


def match_keys(high: Int64s, low: Int64s, among_high: Int64s, among_low: Int64s) -> Int64s:
    """Return for each key its place among distinct others, or -1. All arrays int64."""
    if len(among_high) == 0 or len(high) == 0:
        return np.full(len(high), -1, dtype=np.int64)
    # One code for each different key of both sides; then a table from code to place.
    both = pd.MultiIndex.from_arrays([np.concatenate([among_high, high]), np.concatenate([among_low, low])])
    codes, _ = pd.factorize(both)
    place = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    place[codes[: len(among_high)]] = np.arange(len(among_high))
    return place[codes[len(among_high) :]]


def last_of_each(high: Int64s, low: Int64s) -> NDArray[np.bool_]:
    """Return a mask of the rows after which their key does not come again."""
    order = np.lexsort((low, high))  # stable: rows of one key stay in their order
    high, low = high[order], low[order]
    is_last = np.ones(len(order), dtype=bool)
    is_last[:-1] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    mask = np.empty(len(order), dtype=bool)
    mask[order] = is_last
    return mask
