"""Changes of one source as columns: what contract checks, identity places and the log keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.contract.source import Column

Int64s = NDArray[np.int64]

NO_POSITION = -1
UPSERT, INSERT, UPDATE, DELETE, READ, MOVE_OUT = range(6)  # op codes, as in docs/architecture.md


@dataclass(frozen=True)
class Changes:
    """Rows of one source, checked and typed; all arrays have shape (rows,).

    op: int8 (see above); epoch, position, offset: int64, where the change stands in its source (semantics
    W2), each NO_POSITION until it is given; key_high, key_low: int64, the 128-bit key (semantics W1);
    event_us: int64, UTC
    microseconds; content: int64, hash of all that the log keeps of the row, 0 until they are concealed
    (`streams.personal.conceal`); references: a
    ``large_string`` array ("type:value" or null) for each declared reference; parent_high, parent_low:
    int64, the key of the row that names the customer (0, 0 where the source names it itself);
    parent: ``large_string`` ("source:key"); columns: the declared columns, int64 or ``large_string``.
    """

    source: str
    op: NDArray[np.int8]
    epoch: Int64s
    position: Int64s
    offset: Int64s
    key_high: Int64s
    key_low: Int64s
    event_us: Int64s
    content: Int64s
    references: list[pa.ChunkedArray]
    parent_high: Int64s
    parent_low: Int64s
    parent: pa.ChunkedArray
    columns: pa.Table

    def __len__(self) -> int:
        return len(self.op)

    def take(self, rows: Int64s | NDArray[np.bool_]) -> Changes:
        """Return the rows at these places, or where the mask is true."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        index = pa.array(places, type=pa.int64())
        parts = {
            field.name: getattr(self, field.name)[places]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return Changes(
            source=self.source,
            references=[reference.take(index) for reference in self.references],
            parent=self.parent.take(index),
            columns=self.columns.take(index),
            **parts,
        )


def concat(parts: Sequence[Changes]) -> Changes:
    """Return one after the other; all must be of one source and one set of columns."""
    first = parts[0]
    if len(parts) == 1:
        return first
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Changes)
        if isinstance(getattr(first, field.name), np.ndarray)
    }
    return Changes(
        source=first.source,
        references=[
            pa.chunked_array(
                [chunk for part in parts for chunk in part.references[at].chunks], type=pa.large_string()
            )
            for at in range(len(first.references))
        ],
        parent=pa.chunked_array(
            [chunk for part in parts for chunk in part.parent.chunks], type=pa.large_string()
        ),
        columns=pa.concat_tables([part.columns for part in parts]),
        **arrays,
    )


def no_position(rows: int) -> tuple[Int64s, Int64s, Int64s]:
    """Return epoch, position and offset of rows that have none yet: the source's last, a new offset."""
    none = np.full(rows, NO_POSITION, dtype=np.int64)
    return none, none.copy(), none.copy()


def column_type(column: Column) -> pa.DataType:
    """Return the Arrow type of a declared column: text as ``large_string``, all else as int64."""
    return pa.large_string() if column.type == "text" else pa.int64()


def nothing(rows: int) -> pa.ChunkedArray:
    """Return a text column of nulls."""
    return pa.chunked_array([pa.nulls(rows, pa.large_string())])
