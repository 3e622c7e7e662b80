"""Single records, found by their place in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streams.log.log import Log


def read_back(
    log: Log, table: str, places: Iterable[tuple[int, int]], columns: Sequence[str]
) -> list[list[Any]]:
    """Return these columns of the records at (partition, step), in order; all stand in the table named.

    A column that a block does not have (it was declared later) is null.
    """
    tables: dict[tuple[int, int], pa.Table] = {}
    found: list[list[Any]] = []
    for partition, step in places:
        block = next(log.blocks(partition, step, step + 1))
        at = (partition, block.first_step)
        if at not in tables:
            tables[at] = block.tables([table])[table]
        rows = tables[at]
        row = pc.index(rows["ordinal"], pa.scalar(step - block.first_step, pa.int32())).as_py()
        found.append([rows[name][row].as_py() if name in rows.column_names else None for name in columns])
    return found
