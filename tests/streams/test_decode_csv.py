"""CSV in every usual dress is the same table."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from streams.contract.source import FileFormat
from streams.decode.chunk import Chunk
from streams.decode.csv import CsvFile
from streams.decode.open import open_file
from streams.errors import InputError

ENCODINGS = ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
ROWS = [
    ["编号", "城市", "note"],
    ["1", "上海", "a b"],
    ["2", "广州，天河", "x"],
    ["3", "", "一行"],
    ["4", "北京", "末"],
]


def read(path: Path, form: FileFormat | None = None, block_bytes: int = 1 << 20) -> list[Chunk]:
    return list(CsvFile(path, form or FileFormat(), [], block_bytes).chunks())


def listed(chunks: list[Chunk]) -> list[tuple[int, list[str | None]]]:
    found = []
    for chunk in chunks:
        for line, row in zip(chunk.lines.tolist(), chunk.table.to_pylist(), strict=True):
            found.append((line, list(row.values())))
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_separator_and_line_end_gives_the_same_rows(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    """The table is the same whatever the file's dress, found without being told."""
    path = tmp_path / "cities.csv"
    text = end.join(separator.join(row) for row in ROWS) + end
    path.write_bytes(text.encode(encoding))
    opened = CsvFile(path, FileFormat(), [])
    expected = [(line, [cell or None for cell in row]) for line, row in enumerate(ROWS[1:], start=2)]
    assert listed(list(opened.chunks())) == expected
    assert opened.headings == ROWS[0]


@pytest.mark.parametrize("block_bytes", [1, 7, 16, 50, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_lines_and_malformed_lines_do_not_depend_on_where_the_file_is_cut(
    tmp_path: Path, block_bytes: int, end: bytes
) -> None:
    path = tmp_path / "quotes.csv"
    lines = [b"a,b", b'1,"x', b'y, ""z"""', b"3", b"", b"4,5,6", b'"7",""', b'5" pipe,3', b"9,9"]
    path.write_bytes(end.join(lines))
    chunks = read(path, block_bytes=block_bytes)
    inside = f'x{end.decode()}y, "z"'
    assert listed(chunks) == [
        (2, ["1", inside]), (7, ["7", None]), (8, ['5" pipe', "3"]), (9, ["9", "9"]),
    ]  # fmt: skip
    assert [(bad.line, bad.raw) for chunk in chunks for bad in chunk.malformed] == [(4, "3"), (6, "4,5,6")]


def test_a_packed_file_is_read_like_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    opened = open_file(path, FileFormat(), ["a"])
    assert listed(list(opened.chunks())) == [(2, ["1", "2"])]


def test_the_report_says_how_the_file_was_understood(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("城市;数\r\n上海;1\r\n".encode("gbk"))
    assert CsvFile(path, FileFormat(), []).report == "CSV, gb18030, separated by semicolon, CR LF line ends"


def test_the_separator_is_the_one_under_which_the_wanted_headings_are_found(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("order id;amount\n1;2,5\n2;3,5\n")
    assert CsvFile(path, FileFormat(), ["amount"]).headings == ["order id", "amount"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a,a\n1,2\n", "heading 'a' stands more than once"),
        (b"a,\n1,2\n", "column 2 has no heading"),
        (b"", "the file is empty"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "a quoted field begins here and never ends"),
        ("a,b\n1,5 £ und Grüße aus Köln\n".encode("latin-1"), "the encoding is not clear"),
        (b"a,b\n1,\xff\xfe\n", "the encoding is not clear"),
    ],
)
def test_a_file_that_cannot_be_understood_says_why_and_what_to_do(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=problem) as caught:
        read(path)
    assert caught.value.hint
    assert str(path) in caught.value.where


def test_the_line_of_an_open_quote_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b'a,b\n1,2\n3,"4\n5,6\n')
    with pytest.raises(InputError) as caught:
        read(path, block_bytes=4)
    assert caught.value.where == f"{path}:3"


def test_a_declared_encoding_is_taken_at_its_word(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("a,b\n1,£5\n".encode("windows-1252"))
    assert listed(read(path, FileFormat(encoding="windows-1252"))) == [(2, ["1", "£5"])]
    with pytest.raises(InputError, match=r"x\.csv:2: bytes a3 35 are not utf-8"):
        read(path, FileFormat(encoding="utf-8"))


def test_a_missing_column_is_an_error_that_lists_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"column 'c' is missing: the file .* has 'a', 'b'"):
        open_file(path, FileFormat(), ["a", "c"])
