# ruff: noqa: E501 - one case a line, so that the table reads as one
"""Bad files: what is imported into the source ``orders``, and what comes of it.

A file that cannot be used is refused as a whole, and nothing is written. A row that cannot be used is rejected: it
becomes a dead letter and stands in FILE.rejected.csv. Each row: what is wrong, the file's name, how it is made, a part
of the problem, a part of the hint, and of rejected rows the line.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl  # type: ignore[import-untyped] # the package publishes no types
import pyarrow as pa
import pyarrow.parquet as pq

Make = Callable[[Path], object]


class BadFile(NamedTuple):
    """line: of the one row that is rejected; None where the whole file is refused."""

    what: str
    name: str
    made: bytes | str | Make
    problem: str
    hint: str
    line: int | None = None

    def write(self, folder: Path) -> Path:
        """Make the file; return its path."""
        path = folder / self.name
        if callable(self.made):
            self.made(path)
        else:
            path.write_bytes(self.made.encode() if isinstance(self.made, str) else self.made)
        return path


HEADINGS = ["order_id", "member_id", "created_at", "amount", "pieces", "status", "gift", "due", "birthday"]
HEAD = ",".join(HEADINGS) + "\n"
ROW = "F1,M1,2026-03-01 09:00,12.50,1,paid,true,,\n"
GOOD_CELLS: list[Any] = ["F1", "M1", "2026-03-01 09:00", 12.5, 1, "paid", True, None, None]
LINE = json.dumps(dict(zip(HEADINGS, [*GOOD_CELLS[:3], "12.50", *GOOD_CELLS[4:]], strict=True)))
FIX_ENCODING, ALL_COLUMNS = "set format.encoding of the source", "separated by comma"
SAVE, EXPORT, FETCH = "save it as .xlsx", "export it again", "fetch the file again"


def _with(old: str, new: str) -> str:
    assert old in ROW, old
    return HEAD + ROW.replace(old, new)


CSV = [
    BadFile("an empty file", "o.csv", b"", "the file is empty", "the first line must name the columns"),
    BadFile("line ends only", "o.csv", b"\r\n\n\n", "the file is empty", "the first line must name the columns"),
    BadFile("a byte order mark only", "o.csv", b"\xef\xbb\xbf", "the file is empty", "the first line must name the columns"),
    BadFile("no headings", "o.csv", ROW, "column 8 has no heading", "name each column"),
    BadFile("a title above the headings", "o.csv", "March,,,,,,,,\n" + HEAD + ROW, "column 2 has no heading", "take rows above the headings away"),
    BadFile("two rows of headings", "o.csv", HEAD * 2 + ROW, "created_at: 'created_at' is no time", "ISO 8601", 2),
    BadFile("a heading twice", "o.csv", HEAD.replace("pieces", "amount") + ROW, "heading 'amount' stands more than once", "rename or remove"),
    BadFile("a heading in capitals", "o.csv", HEAD.replace("amount", "Amount") + ROW, "column 'amount' is missing", "'Amount'"),
    BadFile("a heading behind a blank", "o.csv", HEAD.replace("amount", " amount") + ROW, "column 'amount' is missing", "' amount'"),
    BadFile("a separator nobody uses", "o.csv", (HEAD + ROW).replace(",", "~"), "is missing", "'order_id~member_id"),
    BadFile("Excel's line with the separator", "o.csv", "sep=;\n" + (HEAD + ROW).replace(",", ";"), "has no heading", "take rows above the headings away"),
    BadFile("a page of HTML", "o.csv", "<html><body>404</body></html>", "is missing", "<html>"),
    BadFile("JSON in a CSV", "o.csv", '{"order_id": 1}\n', "is missing", ALL_COLUMNS),
    BadFile("PDF", "o.csv", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "is missing", "'%PDF-1.4'"),
    BadFile("a heading of 11 MB", "o.csv", "a" * 11_000_000, "is missing", "aaa...'"),
    BadFile("thousands of headings", "o.csv", ",".join(f"c{at}" for at in range(5000)), "is missing", "and 4980 more"),
    BadFile("zero bytes only", "o.csv", b"\x00" * 1000, "holds a zero byte", "export it as text anew"),
    BadFile("a zero byte among the names", "o.csv", _with("M1", "M\x00"), "member_id: holds a character that cannot be seen", "remove it", 2),
    BadFile("noise", "o.csv", bytes((at * 7919 + at // 7) % 251 for at in range(3000)), "the encoding is not clear", FIX_ENCODING),
    BadFile("half of it Latin-1", "o.csv", (HEAD + ROW).encode() + b"F2,M\xff\xfe,2026-03-01 09:00,1,1,paid,,,\n", "the encoding is not clear", FIX_ENCODING),
    BadFile("a quote that never closes", "o.csv", HEAD + 'F1,"M1,2026-03-01 09:00,12.50,1,paid,,,\n', "a quoted field begins here and never ends", "close it with a quote"),
    BadFile("too few fields", "o.csv", HEAD + "F1,M1,2026-03-01 09:00\n", "3 fields where the heading has 9", "add the missing fields", 2),
    BadFile("too many fields", "o.csv", _with("12.50", "12,50"), "10 fields where the heading has 9", "quote a field that holds the separator", 2),
    BadFile("a line of totals", "o.csv", HEAD + "total,,,500,,,,,\n", "created_at: the event time is missing", "fill it", 2),
    BadFile("thousands separators", "o.csv", _with("12.50", '"1,234.50"'), "amount: '1,234.50' is no number", "1234.50", 2),
    BadFile("a formula as text", "o.csv", _with("12.50", "=1+2"), "amount: '=1+2' is no number", "write digits", 2),
    BadFile("an error of a sheet", "o.csv", _with("12.50", "#REF!"), "amount: '#REF!' is no number", "write digits", 2),
    BadFile("a currency behind the amount", "o.csv", _with("12.50", "12.50 €"), "is no number", "write digits", 2),
    BadFile("a bookkeeper's minus", "o.csv", _with("12.50", "(12.50)"), "is no number", "write digits", 2),
    BadFile("negative", "o.csv", _with("12.50", "-3"), "amount: -300 is below the minimum 0", "correct the value or the contract", 2),
    BadFile("a date as Excel counts", "o.csv", _with("2026-03-01 09:00", "46082.375"), "is no time", "ISO 8601", 2),
    BadFile("month first", "o.csv", _with("2026-03-01 09:00", "03/01/2026"), "is no time", "ISO 8601", 2),
    BadFile("a mistyped year", "o.csv", _with("2026-03-01", "2062-03-01"), "more than 1d ahead", "correct the time or its zone", 2),
    BadFile("the year 2199", "o.csv", _with("2026-03-01", "2199-03-01"), "more than 1d ahead", "correct the time or its zone", 2),
    BadFile("a truth in German", "o.csv", _with("true", "vielleicht"), "is neither true nor false", "write true or false", 2),
    BadFile("a customer of 100,000 letters", "o.csv", _with("M1", "M" * 100_000), "a name of more than 1000 characters", "name another column", 2),
    BadFile("a customer of blanks", "o.csv", _with("M1", "   "), "member_id: nothing but blanks", "fill it", 2),
    BadFile("gzip cut short", "o.csv.gz", gzip.compress((HEAD + ROW).encode())[:-10], "the gzip archive is broken", FETCH),
    BadFile("gzip with something behind it", "o.csv.gz", gzip.compress((HEAD + ROW).encode()) + b"junk", "the gzip archive is broken", FETCH),
    BadFile("gzip with a wrong checksum", "o.csv.gz", gzip.compress((HEAD + ROW).encode())[:-8] + b"\x00" * 8, "the gzip archive is broken", FETCH),
    BadFile("gzip of nothing", "o.csv.gz", b"\x1f\x8bxx", "the gzip archive is broken", FETCH),
    BadFile("zip for CSV", "o.csv", b"PK\x03\x04abc", "is missing", ALL_COLUMNS),
    BadFile("a kind that is not read", "o.pdf", b"x", "the file's kind is unknown", "end its name with .csv"),
    BadFile("no ending", "o", HEAD + ROW, "the file's kind is unknown", "end its name with .csv"),
    BadFile("a folder", "o.csv", lambda path: path.mkdir(), "is a folder", "name the files in it"),
    BadFile("no file", "o.csv", lambda path: None, "there is no such file", "check the path"),
    BadFile("a link in a circle", "o.csv", lambda path: path.symlink_to(path), "there is no such file", "check the path"),
]  # fmt: skip


def sheet(*rows: Sequence[Any], merge: str | None = None, state: str = "visible", more: bool = False) -> Make:
    """Return what makes a workbook of one sheet, or with a second one behind it."""

    def make(path: Path) -> None:
        book = openpyxl.Workbook()
        page = book.active
        assert page is not None
        for row in rows:
            page.append(row)
        if merge:
            page.merge_cells(merge)
        if more:
            book.create_sheet("more").append(["x"])
        page.sheet_state = state
        book.save(path)

    return make


def _cells(at: str, value: Any) -> list[Any]:
    return [value if name == at else cell for name, cell in zip(HEADINGS, GOOD_CELLS, strict=True)]


def _cut_workbook(path: Path) -> None:
    sheet(HEADINGS, GOOD_CELLS)(path)
    path.write_bytes(path.read_bytes()[:2000])


def _workbook_with_a_torn_sheet(path: Path) -> None:
    sheet(HEADINGS, GOOD_CELLS)(path)
    torn = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(torn, "w") as part:
        for name in whole.namelist():
            part.writestr(name, whole.read(name)[:100] if "sheet1" in name else whole.read(name))
    path.write_bytes(torn.getvalue())


def _zip_of_text(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as whole:
        whole.writestr("a.txt", "x")


SHEETS = [
    BadFile("a merged heading", "o.xlsx", sheet(HEADINGS, GOOD_CELLS, merge="A1:B1"), "the heading of column 1 is a merged cell", "one heading a column"),
    BadFile("merged cells", "o.xlsx", sheet(HEADINGS, GOOD_CELLS, GOOD_CELLS, merge="A2:A3"), "column 1 has merged cells", "fill each row"),
    BadFile("a title above the headings", "o.xlsx", sheet(["March", *[None] * 8], HEADINGS, GOOD_CELLS), "column 2 has no heading", "take rows above the headings away"),
    BadFile("two rows of headings", "o.xlsx", sheet(HEADINGS, HEADINGS), "created_at: 'created_at' is no time", "ISO 8601", 2),
    BadFile("a cell beside the table", "o.xlsx", sheet(HEADINGS, [*GOOD_CELLS, "note"]), "column 10 has no heading", "name each column"),
    BadFile("a formula that was never computed", "o.xlsx", sheet(HEADINGS, _cells("amount", "=1+1")), "amount: a required value is missing", "fill it", 2),
    BadFile("a cell that is an error", "o.xlsx", sheet(HEADINGS, ["F2", *_cells("amount", "#DIV/0!")[1:]]), "amount: a required value is missing", "fill it", 2),
    BadFile("a date as a number", "o.xlsx", sheet(HEADINGS, _cells("created_at", 46082.375)), "'46082.375' is no time", "ISO 8601", 2),
    BadFile("only a time of day", "o.xlsx", sheet(HEADINGS, _cells("created_at", dt.time(9, 0))), "'09:00:00' is no time", "ISO 8601", 2),
    BadFile("a number of 20 digits", "o.xlsx", sheet(HEADINGS, _cells("order_id", 12345678901234567890)), "has more digits than a sheet keeps", "format the column as text", 2),
    BadFile("the table in a hidden sheet", "o.xlsx", sheet(HEADINGS, GOOD_CELLS, state="hidden", more=True), "is missing", "sheet 'more'"),
    BadFile("an empty sheet", "o.xlsx", sheet(), "sheet 'Sheet' is empty", "name another in format.sheet"),
    BadFile("cut short", "o.xlsx", _cut_workbook, "this is no readable workbook", SAVE),
    BadFile("a torn sheet", "o.xlsx", _workbook_with_a_torn_sheet, "this is no readable workbook", SAVE),
    BadFile("nothing in it", "o.xlsx", b"", "this is no readable workbook", SAVE),
    BadFile("CSV by another name", "o.xlsx", HEAD + ROW, "this is no readable workbook", SAVE),
    BadFile("another zip", "o.xlsx", _zip_of_text, "this is no readable workbook", SAVE),
    BadFile("the beginning of an old workbook", "o.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "this is no readable workbook", SAVE),
    BadFile("the beginning of an open document", "o.ods", b"PK", "this is no readable workbook", SAVE),
]  # fmt: skip


def parquet(**columns: Any) -> Make:
    """Return what makes a Parquet file of the good row with other columns."""
    good = {name: [None if cell is None else str(cell)] for name, cell in zip(HEADINGS, GOOD_CELLS, strict=True)}
    good["gift"] = ["true"]
    return lambda path: pq.write_table(pa.table({**good, **columns}), path)


def _cut_parquet(path: Path) -> None:
    parquet()(path)
    path.write_bytes(path.read_bytes()[:-20])


def _torn_parquet(path: Path) -> None:
    parquet()(path)
    body = bytearray(path.read_bytes())
    body[4:60] = b"\xff" * 56
    path.write_bytes(bytes(body))


def _doubled_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, names=["order_id", "order_id"]), path)


PARQUETS = [
    BadFile("nothing in it", "o.parquet", b"", "this is no readable Parquet file", EXPORT),
    BadFile("CSV by another name", "o.parquet", HEAD + ROW, "this is no readable Parquet file", EXPORT),
    BadFile("cut short", "o.parquet", _cut_parquet, "this is no readable Parquet file", EXPORT),
    BadFile("a torn page", "o.parquet", _torn_parquet, "this is no readable Parquet file", EXPORT),
    BadFile("a list in a column", "o.parquet", parquet(amount=pa.array([[1]])), "column 'amount' is of type list", "export it as text or number"),
    BadFile("a struct in a column", "o.parquet", parquet(amount=pa.array([{"v": 1}])), "column 'amount' is of type struct", "export it as text or number"),
    BadFile("bytes in a column", "o.parquet", parquet(member_id=pa.array([b"x"])), "column 'member_id' is of type binary", "export it as text or number"),
    BadFile("a length for a time", "o.parquet", parquet(created_at=pa.array([dt.timedelta(1)])), "is of type duration", "export it as text or number"),
    BadFile("infinity", "o.parquet", parquet(amount=[float("inf")]), "amount: 'inf' is no number", "write digits", 1),
    BadFile("NaN, which is null here", "o.parquet", parquet(amount=[float("nan")]), "amount: a required value is missing", "fill it", 1),
    BadFile("a time in 1960", "o.parquet", parquet(created_at=pa.array([dt.datetime(1960, 1, 1, tzinfo=dt.UTC)])), "lies outside 1970 to 2199", "correct the time", 1),
    BadFile("only a time of day", "o.parquet", parquet(due=pa.array([dt.time(9, 0)])), "is no time", "ISO 8601", 1),
    BadFile("no key", "o.parquet", parquet(order_id=pa.array([None], pa.string())), "order_id: the key is missing", "fill it", 1),
    BadFile("a heading twice", "o.parquet", _doubled_parquet, "heading 'order_id' stands more than once", "rename or remove"),
    BadFile("a column only", "o.parquet", lambda path: pq.write_table(pa.table({"order_id": ["a"]}), path), "is missing", "has 'order_id'"),
]  # fmt: skip

NO_OBJECT, ONE_A_LINE = "no line holds a JSON object", "write one JSON object a line"
JSONL = [
    BadFile("an empty file", "o.jsonl", b"", NO_OBJECT, ONE_A_LINE),
    BadFile("one list of all rows", "o.jsonl", f"[{LINE}]", NO_OBJECT, ONE_A_LINE),
    BadFile("a row over many lines", "o.jsonl", LINE.replace(",", ",\n"), NO_OBJECT, ONE_A_LINE),
    BadFile("numbers and texts", "o.jsonl", '5\n"x"\n', NO_OBJECT, ONE_A_LINE),
    BadFile("a column only", "o.jsonl", '{"order_id": 1}\n', "is missing", "has 'order_id'"),
    BadFile("a line cut short", "o.jsonl", f"{LINE}\n{LINE[:-9]}\n", "this is no JSON", "one JSON object for each row", 2),
    BadFile("NaN", "o.jsonl", LINE + "\n" + LINE.replace('"12.50"', "NaN"), "NaN is no number of JSON", "write null", 2),
    BadFile("half a character", "o.jsonl", LINE + "\n" + LINE.replace("F1", "\\ud800"), "\\ud800 is half of a character", "write both halves", 2),
    BadFile("a key of an object", "o.jsonl", LINE.replace('"F1"', "{}"), "order_id: {} is neither text nor a number", "is text or a number", 1),
    BadFile("a column nested deeply", "o.jsonl", f"{LINE}\n{LINE[:-1]}, \"x\": {'[' * 900}{']' * 900}}}", "nested too deeply", "one JSON object", 2),
    BadFile("a line that is no text", "o.jsonl", LINE.encode() + b"\n\xff\xfe\n", "the encoding is not clear", FIX_ENCODING),
    BadFile("gzip cut short", "o.jsonl.gz", gzip.compress(LINE.encode())[:30], "the gzip archive is broken", FETCH),
    BadFile("an amount of 1e999", "o.jsonl", LINE.replace('"12.50"', "1e999"), "1e999 is beyond the limit", "check the number and the scale", 1),
]  # fmt: skip

BAD_FILES = [*CSV, *SHEETS, *PARQUETS, *JSONL]
