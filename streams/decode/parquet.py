"""Parquet, every column as its exact text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from streams.decode.chunk import TEXT, Chunk, check_headings
from streams.errors import InputError

CHUNK_ROWS = 262_144


class ParquetFile:
    """An opened Parquet file, read in stretches of 262,144 rows.

    A float becomes the shortest decimal text that reads back as the same float (so 0.99 stays 0.99), a
    time ISO 8601, with ``Z`` if it carries a zone. Line numbers count rows from 1. Columns that are not
    asked for and have no text form (lists, structs) are left out.
    """

    def __init__(self, path: Path, wanted: Collection[str]) -> None:
        self._where = str(path)
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise InputError(
                str(path), f"this is no readable Parquet file ({error})", "export it again"
            ) from error
        schema = self._file.schema_arrow
        check_headings(schema.names, self._where)
        for name in wanted:
            if name in schema.names and not _has_text(schema.field(name).type):
                kind = schema.field(name).type
                raise InputError(
                    self._where, f"column '{name}' is of type {kind}", "export it as text or number"
                )
        self.headings = [field.name for field in schema if _has_text(field.type)]
        self.total_bytes = path.stat().st_size
        self.report = f"Parquet, {self._file.metadata.num_rows} rows"

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in stretches."""
        rows, total = 0, max(self._file.metadata.num_rows, 1)
        for batch in self._batches():
            lines = np.arange(rows + 1, rows + 1 + batch.num_rows, dtype=np.int64)
            rows += batch.num_rows
            columns = [_text(column) for column in batch.columns]
            table = pa.Table.from_arrays(columns, names=self.headings)
            yield Chunk(lines, table, self.total_bytes * rows // total)


    def _batches(self) -> Iterator[pa.RecordBatch]:
        batches = self._file.iter_batches(batch_size=CHUNK_ROWS, columns=self.headings)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:  # what a damaged page raises
                problem = f"this is no readable Parquet file ({str(error).splitlines()[0]})"
                raise InputError(self._where, problem, "export it again") from error
            if batch is None:
                return
            yield batch


def _has_text(kind: pa.DataType) -> bool:
    nested = pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return not (nested or pa.types.is_fixed_size_binary(kind) or pa.types.is_duration(kind))


def _text(column: pa.Array) -> pa.Array:
    # Text is made once for each different value: columns of files repeat themselves.
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    values = column.dictionary
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        utc = values.cast(pa.timestamp(kind.unit, tz="UTC")).cast(pa.timestamp(kind.unit))
        values = pc.binary_join_element_wise(utc.cast(TEXT), pa.scalar("Z", TEXT), pa.scalar("", TEXT))
    else:
        values = values.cast(TEXT)
    if pa.types.is_floating(kind):
        values = pa.array([_plain(text) for text in values.to_pylist()], type=TEXT)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, TEXT), values)
    return values.take(column.indices)


def _plain(text: str | None) -> str | None:
    """Write a float's shortest text without an exponent; NaN is how data frames write nothing."""
    if text is None or text == "nan":
        return None
    return format(Decimal(text), "f") if "e" in text else text
