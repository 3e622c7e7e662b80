"""The log as pandas frames, for the reference and for reports."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.log.block import CONTROL, Block
from streams.log.log import Log

_NUMBERS = ("key_high", "key_low", "epoch", "position", "offset", "event_us")


def read_rows(
    log: Log, source: Source, until_step: Sequence[int] | None = None, until_minute: int | None = None
) -> pd.DataFrame:
    """Return all records of a source, by partition and step.

    Columns: partition, step, minute, op, key_high, key_low, epoch, position, offset, event_us (int64),
    mode (string), customer (string, 32 hex digits), reference (string) and the declared columns (Int64,
    or string for text; a column the record does not have is null).

    until_step: for each partition the first step that is left out; until_minute: the last append minute
    that is taken in (``audit --at``, semantics L5).
    """
    parts = []
    for partition in range(log.partitions):
        to_step = None if until_step is None else until_step[partition]
        for block in log.blocks(partition, 0, to_step, holding=source.name):
            if until_minute is not None and block.first_minute > until_minute:
                break
            table = _complete(block.tables([source.name])[source.name], source)
            parts.append(_stamped(block, table))
    return _frame(_cut(parts, _row_schema(source), until_step, until_minute))


def read_control(
    log: Log, until_step: Sequence[int] | None = None, until_minute: int | None = None,
    kinds: Sequence[str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return the control records, by partition and step, or only those of some kinds.

    Columns: partition, step, minute (int64), mode, kind, customer (32 hex digits or null), body (JSON),
    strings.
    """
    parts = []
    holding = f"!{kinds[0]}" if kinds is not None and len(kinds) == 1 else None
    for partition in range(log.partitions):
        to_step = None if until_step is None else until_step[partition]
        for block in log.blocks(partition, 0, to_step, holding):
            table = block.tables([CONTROL]).get(CONTROL)
            if table is not None:
                parts.append(_stamped(block, table))
    table = _cut(parts, _control_schema(), until_step, until_minute)
    if kinds is not None:
        table = table.filter(pc.is_in(table["kind"], pa.array(list(kinds), pa.utf8())))
    return _frame(table)


def _row_schema(source: Source) -> pa.Schema:
    names = ["partition", "step", "minute", "mode", "op", *_NUMBERS[:5], "customer", "event_us", "reference"]
    kinds = {"mode": pa.utf8(), "customer": pa.binary(16), "reference": pa.utf8()}
    fields = [pa.field(name, kinds.get(name, pa.int64())) for name in names]
    for name, column in carried_columns(source).items():
        fields.append(pa.field(name, pa.utf8() if column.type == "text" else pa.int64()))
    return pa.schema(fields)


def _control_schema() -> pa.Schema:
    numbers = [pa.field(name, pa.int64()) for name in ("partition", "step", "minute")]
    texts = [pa.field("mode", pa.utf8()), pa.field("kind", pa.utf8()), pa.field("customer", pa.binary(16))]
    return pa.schema([*numbers, *texts, pa.field("body", pa.utf8())])


def _complete(table: pa.Table, source: Source) -> pa.Table:
    """Add the columns that were declared after the block was written."""
    for name, column in carried_columns(source).items():
        if name not in table.column_names:
            kind = pa.utf8() if column.type == "text" else pa.int64()
            table = table.append_column(name, pa.nulls(table.num_rows, kind))
    return table


def _stamped(block: Block, table: pa.Table) -> pa.Table:
    rows = table.num_rows
    step = pc.add(table["ordinal"].cast(pa.int64()), block.first_step)
    table = table.append_column("step", step)
    table = table.append_column("partition", pa.array([block.partition] * rows, pa.int64()))
    return table.append_column("mode", pa.array([block.mode] * rows, pa.utf8()))


def _cut(
    parts: list[pa.Table], schema: pa.Schema, until_step: Sequence[int] | None, until_minute: int | None
) -> pa.Table:
    tables = [part.select(schema.names).cast(schema) for part in parts]
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    if until_minute is not None:
        table = table.filter(pc.less_equal(table["minute"], until_minute))
    if until_step is not None:
        limits = pa.array(list(until_step), pa.int64()).take(table["partition"].combine_chunks())
        table = table.filter(pc.less(table["step"], limits))
    return table.sort_by([("partition", "ascending"), ("step", "ascending")])


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return pandas columns; ids as 32 hex digits, made once for each customer."""
    ids = table["customer"].combine_chunks().dictionary_encode()
    hexes = pa.array([value.hex() for value in ids.dictionary.to_pylist()], pa.utf8())
    at = table.column_names.index("customer")
    table = table.set_column(at, "customer", hexes.take(ids.indices))
    columns: dict[str, pd.Series] = {}
    stamped = {"partition", "step", "minute", "op", *_NUMBERS}
    for name in table.column_names:
        if pa.types.is_string(table[name].type):
            columns[name] = pd.Series(table[name].to_pandas(), dtype="string")
        elif name in stamped:
            columns[name] = pd.Series(table[name].to_numpy(), dtype="int64")
        else:
            columns[name] = table[name].to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return pd.DataFrame(columns)
