"""The embedded engine as a store of history, with new and with old tables."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sinks.history.connection import Connection
from sinks.history.embedded import ChdbHistory
from sinks.history.errors import of_opening, of_writing
from sinks.history.history import EFFECTS, History
from sinks.history.schema import tables_for
from streams.errors import InputError
from tests.sinks.history_contract import ORDERS, HistoryContract, Open, orders, steps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["modern", "core"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open the same folder; what was opened before is closed."""
    kept: list[ChdbHistory] = []

    def open_again() -> History:
        if kept:
            kept.pop().close()
        kept.append(ChdbHistory(tmp_path / "历史 folder", "Asia/Shanghai", request.param))
        return kept[0]

    yield open_again
    for one in kept:
        one.close()


class TestEmbeddedHistory(HistoryContract):
    def test_an_insert_whose_answer_was_lost_counts_once(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 3)])
        do = Connection.do

        def lose(connection: Connection, statement: str) -> None:
            do(connection, statement)
            if statement.startswith("INSERT"):
                raise RuntimeError("the answer was lost")

        with monkeypatch.context() as patched:
            patched.setattr(Connection, "do", lose)
            with pytest.raises(RuntimeError, match="the answer was lost"):
                history.write(ORDERS, [orders(4, 9)])
        history.write(ORDERS, [orders(4, 9)])
        assert steps(history) == [(0, step) for step in range(10)]

    def test_an_insert_is_in_as_a_whole_or_not_at_all(self, opened: Open) -> None:
        """One insert makes one part, and a part is in or is not; also with more rows than a block has."""
        history = opened()
        history.write(ORDERS, [orders(0, 149_999), orders(0, 79_999, partition=1)])
        parts = history.query(f"SELECT rows FROM system.parts WHERE active AND table = '{ORDERS}'")
        assert parts.to_pylist() == [{"rows": 230_000}]

    def test_a_question_names_no_format(self, opened: Open) -> None:
        with pytest.raises(InputError, match="Syntax error"):
            opened().query("SELECT 1 FORMAT JSON")


def test_the_core_uses_nothing_that_clickhouse_18_lacks() -> None:
    schema = pa.schema([("amount", pa.int64()), ("状态", pa.utf8())])
    statements = [
        one.create("core")
        for name in (ORDERS, "controls", EFFECTS)
        for one in tables_for(name, schema, "UTC", "core")
    ]
    newer = r"DateTime64|LowCardinality|CODEC|TTL|Map\(|JSON|bloom_filter|fsync|OVER|OR REPLACE|fromUnix"
    assert [text for text in statements if re.search(newer, text)] == []
    assert len(statements) == 6


def test_another_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from sinks.history.embedded import ChdbHistory\n"
        "from streams.errors import InputError\n"
        "try: ChdbHistory(pathlib.Path(sys.argv[1]))\n"
        "except InputError as error: sys.stdout.write(str(error))\n"
    )
    history = ChdbHistory(tmp_path)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        history.close()
    assert "history is open in another process (pid " in done.stdout
    assert done.stderr == ""


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "a?b"):
        with pytest.raises(InputError, match="history cannot"):
            ChdbHistory(folder)


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (
            "Code: 243. DB::Exception: Cannot reserve 1.51 MiB, not enough space. (NOT_ENOUGH_SPACE)",
            "the disk is full",
        ),
        (
            "Code: 75. DB::Exception: Cannot write to file x, errno: 28, strerror: No space left on device.",
            "full",
        ),
        (
            "Code: 241. DB::Exception: (total) memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)",
            "not enough memory",
        ),
        ('filesystem error: in create_directories: Permission denied ["x"]', "cannot be written"),
    ],
)
def test_what_the_user_can_mend_is_told_so(told: str, problem: str) -> None:
    error = of_writing("data/history", told)
    assert error is not None
    assert problem in error.problem
    assert of_opening("data/history", told).problem == error.problem


def test_what_the_user_cannot_mend_stays_our_defect() -> None:
    assert of_writing("data/history", "Code: 49. DB::Exception: Logical error. (LOGICAL_ERROR)") is None
