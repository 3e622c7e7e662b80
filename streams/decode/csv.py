"""CSV: any usual encoding, separator and line end, every column as text."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from streams.contract.source import FileFormat
from streams.decode.chunk import TEXT, Chunk, Malformed, check_headings
from streams.decode.encoding import to_utf8
from streams.decode.records import count_lines, cut_records
from streams.decode.separator import SEPARATORS, find_separator, first_records
from streams.errors import InputError

BLOCK_BYTES = 8 << 20
_GZIP = b"\x1f\x8b"


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes, unpacked if they are gzip. Raises InputError for a broken archive."""
    data = path.read_bytes()
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            str(path), f"the gzip archive is broken ({error})", "fetch the file again"
        ) from error


class CsvFile:
    """An opened CSV file; the whole of it is held in memory.

    Records that are shorter or longer than the heading line come out as ``malformed``; empty lines are
    left out. A quoted field may hold line breaks. An empty field is null, quoted or not.
    """

    def __init__(
        self, path: Path, form: FileFormat, wanted: Collection[str], block_bytes: int | None = None
    ) -> None:
        self._where = str(path)
        self._block_bytes = block_bytes or BLOCK_BYTES
        self._data, encoding = to_utf8(read_bytes(path), form.encoding, self._where)
        self._separator = find_separator(self._data, form.separator, wanted, self._where)
        records = first_records(self._data, self._separator)
        self.headings = records[0] if records else []
        check_headings(self.headings, f"{self._where}:1")
        self.total_bytes = len(self._data)
        separator = SEPARATORS.get(self._separator, repr(self._separator))
        self.report = f"CSV, {encoding}, separated by {separator}, {_line_end(self._data)} line ends"

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows, block by block. Raises InputError where a quoted field never ends."""
        line, header = 1, True
        for start, end in cut_records(self._data, self._separator, self._block_bytes, self._where):
            block = self._data[start:end]
            yield self._parse(block, line, header, end)
            line += count_lines(block)
            header = False

    def _parse(self, block: bytes, first_line: int, header: bool, done: int) -> Chunk:
        bad: list[pacsv.InvalidRow] = []

        def put_aside(row: pacsv.InvalidRow) -> str:
            bad.append(row)
            return "skip"

        # One block is one call: only then are the numbers of invalid rows exact. Empty lines are kept
        # as rows of nulls until the lines are counted.
        table = pacsv.read_csv(
            io.BytesIO(block),
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=self.headings
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=put_aside,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.headings, TEXT),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        lines, bad_lines = _number_lines(table, bad, block, first_line)
        malformed = [
            Malformed(
                at,
                f"{row.actual_columns} fields where the heading has {row.expected_columns}",
                "quote a field that holds the separator, or add the missing fields",
                row.text,
            )
            for at, row in zip(bad_lines, bad, strict=True)
        ]
        if header:
            table, lines = table.slice(1), lines[1:]
        return _without_empty_lines(table, lines, done, malformed)


def _line_end(data: bytes) -> str:
    crlf = data.count(b"\r\n")
    kinds = {"CR LF": crlf, "LF": data.count(b"\n") - crlf, "CR": data.count(b"\r") - crlf}
    return max(kinds, key=lambda kind: kinds[kind])


def _number_lines(
    table: pa.Table, bad: list[pacsv.InvalidRow], block: bytes, first_line: int
) -> tuple[NDArray[np.int64], list[int]]:
    """Return the first line of each row, and of each invalid row (numbered among all rows from 1)."""
    total = table.num_rows + len(bad)
    is_bad = np.zeros(total, dtype=bool)
    is_bad[[row.number - 1 for row in bad]] = True
    breaks = np.zeros(total, dtype=np.int64)
    if b'"' in block:  # only quoted fields hold line breaks
        breaks[~is_bad] = _breaks_inside(table)
        breaks[is_bad] = [count_lines(row.text.encode()) for row in bad]
    starts = first_line + np.arange(total, dtype=np.int64) + np.cumsum(breaks) - breaks
    return starts[~is_bad], starts[is_bad].tolist()


def _breaks_inside(table: pa.Table) -> NDArray[np.int64]:
    inside = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        for sign, weight in (("\n", 1), ("\r", 1), ("\r\n", -1)):
            found = pc.fill_null(pc.count_substring(column, sign), 0)
            inside += weight * found.to_numpy()
    return inside


def _without_empty_lines(
    table: pa.Table, lines: NDArray[np.int64], done: int, malformed: list[Malformed]
) -> Chunk:
    filled = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        filled |= column.is_valid().to_numpy()
    if filled.all():
        return Chunk(lines, table, done, malformed)
    return Chunk(lines[filled], table.filter(pa.array(filled)), done, malformed)
