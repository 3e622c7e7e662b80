"""Excel, Parquet and JSON lines give the same text as CSV would."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl  # type: ignore[import-untyped] # the package publishes no types
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.contract.source import FileFormat
from streams.decode.excel import ExcelFile
from streams.decode.jsonl import JsonLinesFile
from streams.decode.open import open_file
from streams.decode.parquet import ParquetFile
from streams.errors import InputError


def workbook(path: Path, rows: list[list[object]], merge: str | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    book.create_sheet("second").append(["x"])
    book.save(path)
    return path


def test_cells_of_a_sheet_become_plain_text(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["id", "price", "when", "day", "paid", "note"],
        [536365, 2.55, dt.datetime.fromisoformat("2010-12-01 08:26"), dt.date(2010, 12, 1), True, "茶"],
        [None, None, None, None, None, None],
        [7.0, -1.5, None, None, False, None],
    ]
    (chunk,) = ExcelFile(workbook(tmp_path / "x.xlsx", rows), FileFormat()).chunks()
    assert chunk.lines.tolist() == [2, 4]
    assert chunk.table.to_pylist() == [
        {"id": "536365", "price": "2.55", "when": "2010-12-01 08:26:00", "day": "2010-12-01", "paid": "true",
         "note": "茶"},
        {"id": "7", "price": "-1.5", "when": None, "day": None, "paid": "false", "note": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "merge", "problem"),
    [
        ([["Report 2010", None], ["a", "b"], [1, 2]], "A1:B1", "the heading of column 1 is a merged cell"),
        ([["a", "b"], [1, 2], [3, 4]], "A2:A3", "column 1 has merged cells"),
        ([["a", None], [1, 2]], None, "column 2 has no heading"),
        ([["a", "a"], [1, 2]], None, "heading 'a' stands more than once"),
    ],
)
def test_merged_and_odd_headings_are_refused(
    tmp_path: Path, rows: list[list[object]], merge: str | None, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        ExcelFile(workbook(tmp_path / "x.xlsx", rows, merge), FileFormat())


def test_a_sheet_is_chosen_by_name_or_number_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", [["a"], [1]])
    assert ExcelFile(path, FileFormat(sheet="second")).headings == ["x"]
    assert ExcelFile(path, FileFormat(sheet=1)).headings == ["x"]
    with pytest.raises(InputError, match="there is no sheet 'third': its sheets are 'Sheet', 'second'"):
        ExcelFile(path, FileFormat(sheet="third"))


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(InputError, match="no readable workbook"):
        open_file(path, FileFormat(), [])


def test_parquet_columns_become_exact_text(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    zoned = pa.timestamp("ms", "Asia/Shanghai")
    table = pa.table({
        "id": pa.array([31198570044, None]),
        "price": [0.99, float("nan")],
        "phone": [13800000000.0, 1e22],
        "exact": pa.array([Decimal("12.30"), None], pa.decimal128(10, 2)),
        "at": pa.array([dt.datetime.fromisoformat("2017-01-01 11:53:26"), None], pa.timestamp("ns")),
        "zoned": pa.array([dt.datetime(2017, 1, 1, 3, tzinfo=dt.UTC), None], zoned),
        "day": [dt.date(2017, 1, 1), None],
        "flag": [True, None],
        "city": pa.array(["上海", ""]).dictionary_encode(),
        "list": [[1], [2]],
    })  # fmt: skip
    pq.write_table(table, path)
    (chunk,) = ParquetFile(path, ["id"]).chunks()
    assert chunk.table.to_pylist()[0] == {
        "id": "31198570044", "price": "0.99", "phone": "13800000000", "exact": "12.30",
        "at": "2017-01-01 11:53:26.000000000", "zoned": "2017-01-01 03:00:00.000Z", "day": "2017-01-01",
        "flag": "true", "city": "上海",
    }  # fmt: skip
    second = chunk.table.to_pylist()[1]
    assert second.pop("phone") == "10000000000000000000000"
    assert set(second.values()) == {None}
    with pytest.raises(InputError, match="column 'list' is of type list"):
        ParquetFile(path, ["list"])


def test_json_lines_keep_the_digits_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = ['{"id": 9007199254740993, "price": 2.50}', "", '{"id": "x", "ok": true, "deep": {"a": [1.0]}}',
             "[1]", '{"id": 1, "id": 2}', "{oops"]  # fmt: skip
    path.write_text("\n".join(lines))
    (chunk,) = JsonLinesFile(path, FileFormat()).chunks()
    assert chunk.lines.tolist() == [1, 3]
    assert chunk.table.to_pylist() == [
        {"id": "9007199254740993", "price": "2.50", "ok": None, "deep": None},
        {"id": "x", "price": None, "ok": "true", "deep": '{"a":[1.0]}'},
    ]
    assert [bad.line for bad in chunk.malformed] == [4, 5, 6]
    assert "more than once" in chunk.malformed[1].problem


def test_an_unknown_kind_of_file_says_which_are_known(tmp_path: Path) -> None:
    path = tmp_path / "orders.dat"
    path.write_text("a")
    with pytest.raises(InputError, match=r"kind is unknown: end its name with \.csv"):
        open_file(path, FileFormat(), [])
    with pytest.raises(InputError, match="there is no such file"):
        open_file(tmp_path / "none.csv", FileFormat(), [])
