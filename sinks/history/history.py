"""What a store of history is, whichever engine it lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

EFFECTS = "effects"
CONTROLS = "controls"
CHANGES = "changes_"  # and the source's name
ROWS = "rows_"  # a view for each source: the newest state of each of its rows


@dataclass(frozen=True)
class Page:
    """Rows of one table and one partition, with sequences from ``first`` to ``last`` at most.

    ``table`` holds them in the order of their sequence: the column ``seq`` of effects, ``step`` of
    everything else. Not every number needs a row: a source has few of a log's steps.
    """

    partition: int
    first: int
    last: int
    table: pa.Table


class History(Protocol):
    """Columns in, questions out. It never holds the only copy of anything.

    One thread writes and asks what is drained; another may ask questions meanwhile.
    """

    def write(self, table: str, pages: Sequence[Page]) -> None:
        """Insert pages, all or nothing; what is in already counts once.

        Pages of a partition come in the order of their sequences, from one writer. A table or column that
        does not exist is made. Raises InputError where the user can mend the cause, such as a full disk.
        """

    def drained(self, table: str) -> dict[int, int]:
        """Return for each partition the last sequence that is in, read from the data itself."""

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, most: int | None = None
    ) -> pa.Table:
        """Return the rows of a question, ``most`` of them at most; nothing can be changed by it.

        parameters: values of the placeholders, ``{name:Type}`` in the text. Raises InputError for a
        question that cannot be answered.
        """

    def close(self) -> None:
        """Close the files or the connection."""


def sequence_of(table: str) -> str:
    """Return the name of the column by which a table's rows are counted.

    >>> sequence_of("effects"), sequence_of("changes_orders")
    ('seq', 'step')
    """
    return "seq" if table == EFFECTS else "step"
