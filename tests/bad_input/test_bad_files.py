"""A bad file is refused as a whole, a bad row is rejected by itself; each with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl  # type: ignore[import-untyped] # the package publishes no types
import pytest

from app.load import load_shop
from app.shop import Shop
from streams.dead.letters import letters
from streams.errors import InputError
from streams.intake import import_files
from streams.log.log import Log
from tests.bad_input.files import BAD_FILES, GOOD_CELLS, HEAD, HEADINGS, LINE, ROW, BadFile, parquet, sheet
from tests.bad_input.shop import write_shop
from tests.bad_input.state import state_of

NOW = 29_540_000  # 2026-03-01 21:20 UTC
LONGEST_TOLD = 1500  # characters: a refusal may list the headings of a file


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return load_shop(write_shop(tmp_path_factory.mktemp("shop")))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Log]:
    """A log that holds the good row from which the bad ones are made."""
    folder = tmp_path_factory.mktemp("log")
    (folder / "orders.csv").write_text(HEAD + ROW, encoding="utf-8")
    with Log.create(folder, "Bad", 2) as log:
        log.connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here
        assert import_files(log, shop, [("orders", folder / "orders.csv")], now=NOW).new == 1
        yield log


@pytest.mark.parametrize("bad", BAD_FILES, ids=[f"{bad.name} {bad.what}" for bad in BAD_FILES])
def test_a_bad_file_is_refused_or_its_bad_row_rejected(
    log: Log, shop: Shop, tmp_path: Path, bad: BadFile
) -> None:
    before, known = state_of(log), {letter.id for letter in letters(log)}
    path = bad.write(tmp_path)
    if bad.line is None:
        with pytest.raises(InputError) as caught:
            import_files(log, shop, [("orders", path)], now=NOW)
        told = (caught.value.problem, caught.value.hint)
        assert caught.value.where.startswith(str(path))
    else:
        report = import_files(log, shop, [("orders", path)], now=NOW)
        (rejected,) = report.first_rejected
        told = (rejected.problem, rejected.hint)
        assert (rejected.where, rejected.line) == (str(path), bad.line)
        (letter,) = [letter for letter in letters(log) if letter.id not in known]
        assert (letter.place, letter.problem, letter.hint) == (f"{bad.name}:{bad.line}", *told)
    assert bad.problem in told[0]
    assert bad.hint in told[1]
    assert max(map(len, told)) <= LONGEST_TOLD
    assert state_of(log) == before


GOOD_FILES = [
    ("headings and nothing else", "o.csv", HEAD.encode(), 0),
    ("UTF-8 with a byte order mark", "o.csv", b"\xef\xbb\xbf" + (HEAD + ROW).encode(), 1),
    ("UTF-16 with a byte order mark", "o.csv", (HEAD + ROW).encode("utf-16"), 1),
    ("UTF-16 without one", "o.csv", (HEAD + ROW.replace("paid", "已取消")).encode("utf-16-le"), 1),
    ("UTF-32", "o.csv", (HEAD + ROW).encode("utf-32"), 1),
    ("GBK", "o.csv", (HEAD + ROW.replace("paid", "已取消")).encode("gbk"), 1),
    ("an old Macintosh's line ends", "o.csv", (HEAD + ROW).replace("\n", "\r").encode(), 1),
    ("lines of separators only", "o.csv", (HEAD + ",,,,,,,,\n" + ROW).encode(), 1),
    ("semicolons", "o.csv", (HEAD + ROW).replace(",", ";").encode(), 1),
    ("blanks around a number", "o.csv", (HEAD + ROW.replace("12.50", " 12.50 ")).encode(), 1),
    ("CSV that says it is gzip", "o.csv.gz", (HEAD + ROW).encode(), 1),
]


@pytest.mark.parametrize(("what", "name", "body", "rows"), GOOD_FILES, ids=[case[0] for case in GOOD_FILES])
def test_what_is_unusual_but_clear_is_read(
    shop: Shop, tmp_path: Path, what: str, name: str, body: bytes, rows: int
) -> None:
    (tmp_path / name).write_bytes(body)
    with Log.create(tmp_path / "data", "Bad", 1) as log:
        report = import_files(log, shop, [("orders", tmp_path / name)], now=NOW)
    assert (report.new, report.rejected) == (rows, 0), what


@pytest.mark.parametrize(
    ("time", "counted"),
    [("2025-03-30 02:30", (1, 0)), ("2025-10-26 02:30", (0, 1)), ("2025-10-26 02:30+02:00", (0, 0))],
)
def test_a_local_time_that_is_none_or_two_is_taken_and_counted(
    shop: Shop, tmp_path: Path, time: str, counted: tuple[int, int]
) -> None:
    """W5: the first moment that exists, the first of the two."""
    (tmp_path / "o.csv").write_text(HEAD + ROW.replace("2026-03-01 09:00", time), encoding="utf-8")
    with Log.create(tmp_path / "data", "Bad", 1) as log:
        report = import_files(log, shop, [("orders", tmp_path / "o.csv")], now=NOW)
    assert (report.new, report.skipped_times, report.doubled_times) == (1, *counted)


def test_the_good_file_of_each_kind_is_read(shop: Shop, tmp_path: Path) -> None:
    sheet(HEADINGS, GOOD_CELLS)(tmp_path / "o.xlsx")
    parquet()(tmp_path / "o.parquet")
    (tmp_path / "o.jsonl").write_text(LINE, encoding="utf-8")
    for name in ("o.xlsx", "o.parquet", "o.jsonl"):
        with Log.create(tmp_path / name.replace(".", "_"), "Bad", 1) as log:
            assert import_files(log, shop, [("orders", tmp_path / name)], now=NOW).new == 1, name


def test_the_first_sheet_that_can_be_seen_is_read(shop: Shop, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    for row in (HEADINGS, GOOD_CELLS):
        (book["data"] if "data" in book.sheetnames else book.create_sheet("data")).append(row)
    book.save(tmp_path / "o.xlsx")
    with Log.create(tmp_path / "data", "Bad", 1) as log:
        assert import_files(log, shop, [("orders", tmp_path / "o.xlsx")], now=NOW).new == 1


def test_a_file_that_may_not_be_read_is_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "o.csv").write_text(HEAD + ROW, encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with (
        Log.create(tmp_path / "data", "Bad", 1) as log,
        pytest.raises(InputError, match=r"cannot be read \(Permission denied\): check the file"),
    ):
        import_files(log, shop, [("orders", tmp_path / "o.csv")], now=NOW)
