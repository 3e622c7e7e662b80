"""Rows of which a change message carries only some columns: the others stay as the last record has them.

PostgreSQL leaves out large values that did not change, MongoDB may send nothing but what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.change import Changes
from streams.contract.columns import carried_columns, names_customer
from streams.contract.faults import Faults
from streams.contract.numbers import ValueProblem
from streams.contract.source import Column, Source
from streams.personal.conceal import keys_of_parents

TEXT = pa.large_string()
WHOLE_ROWS = (
    "have the connector send whole rows (PostgreSQL: ALTER TABLE ... REPLICA IDENTITY FULL; "
    "MongoDB: capture.mode=change_streams_update_full)"
)


@dataclass(frozen=True)
class Last:
    """What the last record of each row says; arrays of shape (rows,), null or 0 where there is none.

    there: mask of rows that have one; event_us: int64, UTC microseconds; reference: ``large_string``,
    "type:value", or "source:key" of a parent; columns: the declared ones, int64 or ``large_string``.
    """

    there: NDArray[np.bool_]
    event_us: NDArray[np.int64]
    reference: pa.ChunkedArray
    columns: pa.Table


def check_partial(source: Source, operation: str, lacking: Set[str]) -> None:
    """Raise ValueProblem if a row that lacks these columns cannot be completed, whatever its last record."""
    if operation in ("insert", "read"):
        raise ValueProblem(f"a new row without {_names(lacking)}", WHOLE_ROWS)
    if source.kind != "rows":
        raise ValueProblem(f"a row of {source.kind} without {_names(lacking)}", WHOLE_ROWS)
    for name, column in source.columns.items():
        factors = set(column.product or [])
        if factors & lacking and factors - lacking:
            absent = _names(factors & lacking)
            raise ValueProblem(f"{name}: the message does not carry its factor {absent}", WHOLE_ROWS)
    telling = names_customer(source)
    changed = telling - lacking - set(source.key)  # a key that changed would be another row
    if telling & lacking and changed:
        problem = f"the message carries {_names(changed)}, but not {_names(telling & lacking)}"
        raise ValueProblem(f"{problem}: whose row it is now is not certain", WHOLE_ROWS)


def complete(
    source: Source, sources: Mapping[str, Source], changes: Changes, lacking: Set[str], last: Last
) -> tuple[Changes, list[tuple[int, ValueProblem]]]:
    """Return the rows with the values of their last records for what they lack, and the faulty ones.

    The event time stays, and so does what names the customer, if those are what is lacking. lacking:
    headings, the same for all rows.
    """
    faults = Faults(len(changes))
    problem = f"the message does not carry {_names(lacking)}, and the row is not known here"
    faults.add_rows(~last.there, problem, WHOLE_ROWS)
    columns = changes.columns
    for at, (name, column) in enumerate(carried_columns(source).items()):
        if _headings(name, column) & lacking:
            columns = columns.set_column(at, columns.schema.field(at), last.columns[name])
            if column.required:
                null = last.columns[name].is_null().to_numpy()
                faults.add_rows(null, f"{name}: a required value is missing", WHOLE_ROWS)
    event_us = last.event_us if source.event_time.column in lacking else changes.event_us
    rows = replace(changes, columns=columns, event_us=event_us)
    if names_customer(source) & lacking:
        rows = _with_customer(source, sources, rows, lacking, last)
        named = [rows.parent] if source.via else rows.references
        nobody = np.logical_and.reduce([column.is_null().to_numpy() for column in named])
        faults.add_rows(nobody, "the row's last record names its customer otherwise", WHOLE_ROWS)
    return rows.take(np.flatnonzero(faults.clear)), faults.found()


def _with_customer(
    source: Source, sources: Mapping[str, Source], rows: Changes, lacking: Set[str], last: Last
) -> Changes:
    if source.via is not None:
        parent = sources[source.via.source]
        named = _beginning_with(last.reference, f"{parent.name}:")
        high, low = keys_of_parents(parent, named)
        return replace(rows, parent=named, parent_high=high, parent_low=low)
    references = list(rows.references)
    seen: set[str] = set()
    for at, reference in enumerate(source.references):
        if reference.column in lacking and reference.type not in seen:
            references[at] = _beginning_with(last.reference, f"{reference.type}:")
            seen.add(reference.type)
    return replace(rows, references=references)


def _beginning_with(texts: pa.ChunkedArray, prefix: str) -> pa.ChunkedArray:
    return pc.if_else(pc.starts_with(texts, prefix), texts, pa.scalar(None, TEXT))


def _headings(name: str, column: Column) -> set[str]:
    return set(column.product or [column.source_name or name])


def _names(headings: Set[str]) -> str:
    return ", ".join(sorted(headings))
