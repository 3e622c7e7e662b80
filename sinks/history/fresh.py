"""Of pages that may have come before: what is not in yet, and where one ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow.compute as pc

from sinks.history.history import Page, sequence_of


def fresh_of(table: str, pages: Sequence[Page], last: Mapping[int, int]) -> list[Page]:
    """Return the pages without the rows that are in, and without those pages of which nothing is left.

    last: for each partition the last sequence that is in; a partition without one has nothing in.
    """
    fresh = []
    for page in pages:
        held = last.get(page.partition, -1)
        rows = page.table
        if page.first <= held:
            rows = rows.filter(pc.greater(rows[sequence_of(table)], held))
        if rows.num_rows:
            fresh.append(Page(page.partition, page.first, page.last, rows))
    return fresh


def end_of(table: str, page: Page) -> int:
    """Return the sequence of a page's last row, which the table then has; ``Page.last`` may lie behind it."""
    return int(page.table[sequence_of(table)][-1].as_py())
