"""Deleted rows: only their key counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from streams.change import DELETE, Changes, column_type, no_position, nothing
from streams.contract.check import Checked, check_keys
from streams.contract.columns import carried_columns
from streams.contract.faults import Faults
from streams.contract.moments import MINUTE_US
from streams.contract.source import Source


def check_deletes(source: Source, table: pa.Table, minute: int) -> Checked:
    """Read the keys of deleted rows; their event time is the beginning of ``minute``, all else is null."""
    faults = Faults(table.num_rows)
    key_high, key_low = check_keys(source, table, faults)
    rows = np.flatnonzero(faults.clear)
    count = table.num_rows
    none = np.zeros(count, dtype=np.int64)
    columns = {name: pa.nulls(count, column_type(column)) for name, column in carried_columns(source).items()}
    changes = Changes(
        source.name, np.full(count, DELETE, dtype=np.int8), *no_position(count), key_high, key_low,
        np.full(count, minute * MINUTE_US, dtype=np.int64), none, [nothing(count) for _ in source.references],
        none, none, nothing(count), pa.table(columns),
    )  # fmt: skip
    return Checked(changes.take(rows), rows, faults.found(), 0, 0, 0)
