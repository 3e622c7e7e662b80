"""What the last record of a row says, parked or in the log: partial updates are completed from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from streams.change import Changes, column_type
from streams.contract.columns import carried_columns
from streams.contract.partial import Last
from streams.contract.source import Source
from streams.identity.directory import Known
from streams.identity.parked import parked_bodies
from streams.identity.partition import id_list, partitions_of
from streams.log.log import Log
from streams.log.read_back import read_back
from streams.personal.seal import unseal_columns
from streams.personal.vault import NOBODY


def last_records(log: Log, source: Source, changes: Changes, known: Known) -> Last:
    """Read the last records of rows by their keys; known: what the directory knows of them."""
    alive = np.flatnonzero(known.alive)
    partition = partitions_of(known.customer_high[alive], known.customer_low[alive], log.partitions)
    places = zip(partition.tolist(), known.step[alive].tolist(), strict=True)
    carried = carried_columns(source)
    found: dict[int, list[Any]] = parked_bodies(log, source, changes.key_high, changes.key_low)
    bodies = read_back(log, source.name, places, ["event_us", "reference", *carried])
    found.update(zip(alive.tolist(), bodies, strict=True))
    rows = [found.get(row) for row in range(len(changes))]
    is_alive = set(alive.tolist())
    ids = id_list(known.customer_high, known.customer_low)
    whose = [customer if row in is_alive else NOBODY for row, customer in enumerate(ids)]

    def column(at: int, kind: pa.DataType) -> pa.ChunkedArray:
        return pa.chunked_array([pa.array([None if row is None else row[at] for row in rows], kind)])

    columns = {name: column(at, column_type(one)) for at, (name, one) in enumerate(carried.items(), start=2)}
    return Last(
        there=np.array([row is not None for row in rows], dtype=bool),
        event_us=np.array([0 if row is None else row[0] for row in rows], dtype=np.int64),
        reference=column(1, pa.large_string()),
        columns=unseal_columns(log.vault, source, pa.table(columns), whose),
    )
