"""What the log holds of one customer: their living rows, and what is personal in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.identity.partition import id_pairs, partition_of_customer, partitions_of
from streams.log.log import Log
from streams.log.read_back import read_back
from streams.personal.seal import personal_columns, unseal_columns

Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Held:
    """The living rows of a customer in one source, in the order of their steps.

    numbers: int64, shape (rows, 9): key high and low, parent high and low, content, epoch, position, offset
    and step; bodies: [event_us, reference, declared columns ...] of each, personal ones sealed.
    """

    source: Source
    numbers: Int64s
    bodies: list[list[Any]]


def is_held(log: Log, customer: bytes) -> bool:
    """Say whether a customer is known by a reference, or has a living row."""
    if log.connection.execute("SELECT 1 FROM reference WHERE customer = ?", (customer,)).fetchone():
        return True
    (high,), (low,) = (half.tolist() for half in id_pairs([customer]))
    query = "SELECT 1 FROM row WHERE customer_high = ? AND customer_low = ? AND alive LIMIT 1"
    return log.connection.execute(query, (high, low)).fetchone() is not None


def held_rows(log: Log, source: Source, customer: bytes) -> Held:
    """Return the living rows of a customer in a source of rows."""
    high, low = id_pairs([customer])
    found = log.connection.execute(
        "SELECT key_high, key_low, parent_high, parent_low, content, epoch, position, offset, step FROM row "
        "WHERE source = ? AND customer_high = ? AND customer_low = ? AND alive ORDER BY step",
        (log.source_number(source.name), int(high[0]), int(low[0])),
    ).fetchall()
    numbers = np.array(found, dtype=np.int64).reshape(-1, 9)
    partition = int(partitions_of(high, low, log.partitions)[0])
    places = [(partition, step) for step in numbers[:, 8].tolist()]
    columns = ["event_us", "reference", *carried_columns(source)]
    return Held(source, numbers, read_back(log, source.name, places, columns))


def personal_values(log: Log, sources: Mapping[str, Source], customer: bytes) -> set[str]:
    """Return every value that a personal column had in a record of the customer, also of rows gone since."""
    found: set[str] = set()
    whom = pa.scalar(customer, pa.binary(16))
    partition = partition_of_customer(customer, log.partitions)
    for source in sources.values():
        names = personal_columns(source)
        for block in log.blocks(partition, holding=source.name) if names else ():
            table = block.tables([source.name])[source.name]
            own = table.filter(pc.equal(table["customer"], whom))
            opened = unseal_columns(log.vault, source, own, [customer] * own.num_rows)
            for name in set(names) & set(opened.column_names):
                found.update(value for value in opened[name].to_pylist() if value is not None)
    return found
