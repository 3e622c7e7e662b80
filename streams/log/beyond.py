"""What a log's tables may have to be told before they are asked: nothing, where they are all there is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


class Beyond(Protocol):
    """Brings into a log's tables what is known elsewhere of what is about to be looked up there.

    Each method may be called again for what is there already. Keys are int64 arrays of shape (keys,).
    """

    def references(self, references: Collection[str]) -> Collection[str]:
        """Bring the customers behind these concealed references into the table ``reference``.

        Returns those whose record may be in no log yet: whoever uses one writes it again.
        """

    def customers(self, customers: Collection[bytes]) -> None:
        """Bring all references of these customers (ids of 16 bytes) into the table ``reference``."""

    def rows(self, source: str, high: Int64s, low: Int64s) -> None:
        """Bring the rows of a source with these keys into the tables ``row`` and ``parked``."""

    def children(self, source: str, parent_high: Int64s, parent_low: Int64s) -> None:
        """Bring the rows of a source under these parents into the tables ``row`` and ``parked``."""


class Nothing:
    """The log's own tables are all there is."""

    def references(self, references: Collection[str]) -> Collection[str]:
        """Bring nothing."""
        return ()

    def customers(self, customers: Collection[bytes]) -> None:
        """Bring nothing."""

    def rows(self, source: str, high: Int64s, low: Int64s) -> None:
        """Bring nothing."""

    def children(self, source: str, parent_high: Int64s, parent_low: Int64s) -> None:
        """Bring nothing."""
