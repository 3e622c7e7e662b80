"""Single records, found by their place in the log."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from streams.log.block import Block
from streams.log.log import Log


def read_back(
    log: Log, table: str, places: Iterable[tuple[int, int]], columns: Sequence[str]
) -> list[list[Any]]:
    """Return these columns of the records at (partition, step), in order; all stand in the table named.

    A column that a block does not have (it was declared later) is null. Each block is read once.
    """
    wanted = list(places)
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    ranked = [wanted[at] for at in order]
    found: list[list[Any]] = [[] for _ in wanted]
    first = 0
    while first < len(ranked):
        partition, step = ranked[first]
        block = next(log.blocks(partition, step, step + 1))
        last = bisect_left(ranked, (partition, block.first_step + block.count))
        steps = [step for _, step in ranked[first:last]]
        for at, record in zip(order[first:last], _records(block, table, steps, columns), strict=True):
            found[at] = record
        first = last
    return found


def _records(block: Block, table: str, steps: list[int], columns: Sequence[str]) -> list[list[Any]]:
    """Return the columns of a block's records at these steps."""
    rows = block.tables([table])[table]
    ordinals = rows["ordinal"].to_numpy()  # ascending, as steps are
    rows = rows.take(pa.array(np.searchsorted(ordinals, np.array(steps) - block.first_step)))
    values = [
        rows[name].to_pylist() if name in rows.column_names else [None] * len(steps) for name in columns
    ]
    return [list(record) for record in zip(*values, strict=True)]
