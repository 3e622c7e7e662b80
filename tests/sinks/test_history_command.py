"""``tintype history`` as a person and a script see it, and every question that docs/history.md shows."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from app import exits
from app.cli import main
from app.history_folder import HISTORY_FOLDER
from app.load import load_shop
from sinks.history.embedded import ChdbHistory
from sinks.history.history import CONTROLS, EFFECTS
from sinks.history.pages import of_effects
from sinks.history.schema import tables_for
from tests.app.little_shop import write_shop
from tests.sinks.history_shop import decision, transition

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/history.md").read_text(encoding="utf-8")
ORDERS = """\
order_id,member_id,created_at,amount,status
A1,M1,2026-03-01 00:30,12.50,paid
A2,M2,2026-03-01 09:01,7.00,paid
A3,M1,2026-04-02 10:00,20.00,paid
"""


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    folder = write_shop(tmp_path / "little", {})
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    assert main(["import", str(folder), str(tmp_path / "orders.csv")]) == exits.OK
    capsys.readouterr()
    return str(folder)


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main(["history", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_question_is_answered_from_what_the_log_holds_now(
    shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "SELECT count() AS orders, sum(amount) AS amount FROM rows_orders"
    assert ask(capsys, shop, question) == (0, {"rows": [{"orders": 3, "amount": 3950}], "more": False})
    (tmp_path / "orders.csv").write_text(ORDERS.replace("A3", "A4"), encoding="utf-8")
    assert main(["import", shop, str(tmp_path / "orders.csv")]) == exits.OK
    capsys.readouterr()
    assert ask(capsys, shop, question) == (0, {"rows": [{"orders": 4, "amount": 5950}], "more": False})


def test_no_more_rows_are_shown_than_asked_for(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    question = "SELECT amount FROM changes_orders ORDER BY step"
    assert ask(capsys, shop, question, "--most", "1") == (0, {"rows": [{"amount": 1250}], "more": True})
    assert main(["history", shop, question, "--most", "2", "--csv"]) == exits.OK
    told = capsys.readouterr()
    assert told.out == "amount\n1250\n700\n"
    assert "... and more; --most N shows more than 2" in told.err


def test_times_are_local_and_values_are_given_apart(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    question = (
        "SELECT event_time, at, amount FROM changes_orders WHERE customer = {customer:String} "
        "AND amount > {least:Int64} ORDER BY step"
    )
    code, told = ask(capsys, shop, question, "--value", "least=0", "--customer", "member:M1")
    assert (code, told["rows"][0]) == (
        0, {"event_time": "2026-03-01 00:30:00", "at": "2026-03-01 00:30:00", "amount": 1250},
    )  # fmt: skip


def test_without_a_question_the_tables_are_told(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", shop]) == exits.OK
    told = capsys.readouterr().out
    for name in ("changes_orders", "rows_orders", "controls", "transitions", "decisions"):
        assert re.search(rf"\b{name}\b", told)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["SELECT nope FROM transitions"], "`nope`"),
        (["DROP TABLE effects"], "it does not read"),
        (["SELECT 1", "--value", "nonsense"], "'nonsense' is no NAME=VALUE"),
    ],
)
def test_a_wrong_question_ends_with_2(
    shop: str, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    code, told = ask(capsys, shop, *arguments)
    assert code == exits.BAD_INPUT
    assert problem in told["errors"][0]["problem"]


def test_json_and_csv_together_are_refused(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = ask(capsys, shop, "SELECT 1", "--csv")
    assert (code, told["errors"][0]["where"]) == (exits.BAD_INPUT, "--csv")


def test_without_a_log_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_shop(tmp_path / "little", {})
    code, told = ask(capsys, str(folder), "SELECT 1")
    assert (code, told["errors"][0]["problem"]) == (exits.BAD_INPUT, "there is no log here")
    assert not (folder / "data" / HISTORY_FOLDER).exists()


def test_ctrl_c_ends_a_long_question(shop: str) -> None:
    """The engine itself does not hear it before the question is answered."""
    question = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
    program = (
        "import sys, threading, time, signal, os, app.commands.history as h\n"
        "from app.cli import main\n"
        "import sinks.history.embedded as e\n"
        "asked = e.ChdbHistory.query\n"
        "def query(self, *given):\n"
        "    sys.stdout.write('asking\\n'); sys.stdout.flush()\n"
        "    return asked(self, *given)\n"
        "e.ChdbHistory.query = query\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "history", shop, question],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "asking\n"
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
    assert child.returncode == exits.INTERRUPTED
    assert "stopped; nothing is left half done" in told


def examples() -> list[tuple[str, str, str]]:
    """Return the document's questions: heading, SQL, and the answer shown."""
    found = re.findall(r"^### (.+?)\n.*?```sql\n(.*?)```\n+```\n(.*?)```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return [(heading, sql, answer) for heading, sql, answer in found]


@pytest.mark.parametrize(("heading", "sql", "answer"), examples(), ids=[one[0] for one in examples()])
def test_the_questions_of_the_document_have_the_answers_it_shows(
    shop: str, capsys: pytest.CaptureFixture[str], heading: str, sql: str, answer: str
) -> None:
    declared = load_shop(Path(shop))
    history = ChdbHistory(Path(shop) / declared.settings.data / HISTORY_FOLDER, declared.settings.zone)
    day = 1440
    morning = 29_538_720  # 2026-03-01 08:00 of the shop
    effects = [
        transition(0, 0, morning, what="vip", customer="a" * 32),
        transition(0, 1, morning, what="vip", customer="b" * 32),
        transition(0, 2, morning + day, what="vip", customer="a" * 32, change="leave"),
        transition(0, 3, morning + 2 * day, what="vip", customer="c" * 32),
        decision(0, 4, morning, trigger="hello", customer="a" * 32),
        decision(0, 5, morning, trigger="hello", customer="b" * 32, outcome="refused", guard="consent"),
        decision(0, 6, morning + 2 * day, trigger="hello", customer="c" * 32),
    ]
    history.write(EFFECTS, [of_effects(effects)])
    history.close()
    assert main(["history", shop, sql, "--csv"]) == exits.OK
    assert capsys.readouterr().out == answer


def test_the_document_has_its_questions_and_every_column() -> None:
    assert len(examples()) == 3
    told = set(re.findall(r"`(\w+)`", DOCUMENT))
    for table in (EFFECTS, CONTROLS, "changes_orders"):
        for one in tables_for(table, pa.schema([]), "UTC", "modern"):
            assert {column.name for column in one.columns} - told == set()
            assert f"`{one.name.replace('orders', 'SOURCE')}`" in DOCUMENT
    assert {"trigger"} - told == set()
