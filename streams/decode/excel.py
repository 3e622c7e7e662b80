"""Excel and OpenDocument sheets, every cell as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from streams.contract.source import FileFormat
from streams.decode.chunk import Chunk, Malformed, check_headings, text_table
from streams.errors import InputError

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta
CHUNK_ROWS = 50_000
LARGEST_EXACT = 2.0**53  # beyond it a sheet's numbers have gaps


class ExcelFile:
    """An opened sheet; the whole of it is held in memory.

    A number becomes its shortest text, without ``.0`` when it is whole (a sheet knows no whole numbers);
    a date or time becomes ISO 8601. Line numbers are the sheet's row numbers. Empty rows are left out.
    Without ``format.sheet`` it is the first sheet that is not hidden.
    """

    def __init__(self, path: Path, form: FileFormat, wanted: Collection[str] | None = None) -> None:
        """wanted: the headings whose cells must be exact; all when absent."""
        self._where = str(path)
        self.total_bytes = path.stat().st_size
        try:
            sheet = _open_sheet(path, form)
            _refuse_merged(sheet, self._where)
            self._rows: list[list[Cell]] = sheet.to_python(skip_empty_area=False)
        except CalamineError as error:
            hint = "save it as .xlsx without a password"
            raise InputError(str(path), f"this is no readable workbook ({error})", hint) from error
        if not self._rows:
            raise InputError(self._where, f"sheet '{sheet.name}' is empty", "name another in format.sheet")
        self.headings = [cell_text(cell) or "" for cell in self._rows[0]]
        check_headings(self.headings, f"{self._where}:1")
        self._exact = [at for at, name in enumerate(self.headings) if wanted is None or name in wanted]
        self.report = f"Excel, sheet '{sheet.name}'"

    def chunks(self) -> Iterator[Chunk]:
        """Yield the sheet's rows."""
        rows, width = self._rows, len(self.headings)
        for start in range(1, len(rows), CHUNK_ROWS):
            part = [(number + 1, rows[number]) for number in range(start, min(start + CHUNK_ROWS, len(rows)))]
            inexact = {line: malformed for line, row in part if (malformed := self._inexact(line, row))}
            texts = [(line, [cell_text(cell) for cell in row]) for line, row in part if line not in inexact]
            texts = [(line, row) for line, row in texts if any(cell is not None for cell in row)]
            columns = [[row[at] for _, row in texts] for at in range(width)]
            lines = np.array([line for line, _ in texts], dtype=np.int64)
            done = self.total_bytes * min(start + CHUNK_ROWS, len(rows)) // len(rows)
            yield Chunk(lines, text_table(self.headings, columns), done, list(inexact.values()))

    def _inexact(self, line: int, row: list[Cell]) -> Malformed | None:
        """Return what is wrong with a row that holds a number which the sheet could not keep."""
        for at in self._exact:
            cell = row[at]
            if isinstance(cell, float) and abs(cell) >= LARGEST_EXACT:
                problem = f"{self.headings[at]}: {cell:.0f} has more digits than a sheet keeps"
                raw = ",".join(cell_text(cell) or "" for cell in row)
                return Malformed(line, problem, "format the column as text before it is filled", raw)
        return None


def cell_text(cell: Cell) -> str | None:
    """Return a cell's text, null for an empty one."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell) or None


def _open_sheet(path: Path, form: FileFormat) -> CalamineSheet:
    book = load_workbook(str(path))
    if form.sheet is None:
        for number, sheet in enumerate(book.sheets_metadata):
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet:
                return book.get_sheet_by_index(number)
        raise InputError(str(path), "all sheets are hidden", "name one in format.sheet of the source")
    return _named_sheet(book, form.sheet, str(path))


def _named_sheet(book: CalamineWorkbook, sheet: str | int, where: str) -> CalamineSheet:
    names = book.sheet_names
    if isinstance(sheet, int) and 0 <= sheet < len(names):
        return book.get_sheet_by_index(sheet)
    if isinstance(sheet, str) and sheet in names:
        return book.get_sheet_by_name(sheet)
    listed = ", ".join(f"'{name}'" for name in names)
    raise InputError(where, f"there is no sheet {sheet!r}", f"its sheets are {listed} (numbers begin at 0)")


def _refuse_merged(sheet: CalamineSheet, where: str) -> None:
    merged = sheet.merged_cell_ranges or []  # None where the file's kind does not tell
    for (top, left), (_, _) in merged:
        if top == 0:
            raise InputError(
                f"{where}:1",
                f"the heading of column {left + 1} is a merged cell",
                "split it: one heading a column, in the first row",
            )
        raise InputError(
            f"{where}:{top + 1}", f"column {left + 1} has merged cells", "split them and fill each row"
        )
