"""The customers of a log, numbered in the order of their ids (semantics W1, T3)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def id_order(customer: str) -> tuple[int, int]:
    """Return the sort key of a customer id of 32 hex digits: its halves as signed 64-bit numbers.

    >>> id_order("8" + "0" * 31) < id_order("0" * 32)
    True
    """
    return _signed(customer[:16]), _signed(customer[16:])


class Customers:
    """Customer ids and their numbers 0 .. n-1, ascending in id order.

    ``ids``: list of 32 hex digits; ``numbers(series)`` turns a column of ids into int64 numbers.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = sorted(set(ids), key=id_order)
        self._index = pd.Index(self.ids, dtype="object")
        self.number = {customer: number for number, customer in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self.ids)

    def numbers(self, customers: pd.Series[str]) -> NDArray[np.int64]:
        """Return the number of each id; int64, the shape of ``customers``."""
        return self._index.get_indexer(pd.Index(customers.astype("object"))).astype(np.int64)


def _signed(half: str) -> int:
    value = int(half, 16)
    return value - 2**64 if value >= 2**63 else value
