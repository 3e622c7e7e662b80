"""The commands as a person and a script see them: output, --json, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from tests.app.little_shop import GOOD, write_shop

ORDERS = """\
order_id,member_id,created_at,amount,status
A1,M1,2026-03-01 09:00,12.50,paid
A2,M2,2026-03-01 09:01,7.00,paid
A3,M1,2026-03-02 10:00,abc,paid
"""


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "little", {})


def write_orders(folder: Path, text: str = ORDERS) -> str:
    path = folder / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_check_says_what_is_declared_and_ends_with_0(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(shop)]) == exits.OK
    assert capsys.readouterr().out == (
        "tintype.toml:8: note: triggers go live without a trial in shadow: leave shadow_first out, and let "
        "them run in shadow first\n"
        "Test: 2 sources, 1 metrics, 1 rfm models, 2 tags, 1 triggers, 1 channels, 1 timelines: no errors\n"
    )
    assert main(["check", str(shop), "--json"]) == exits.OK
    assert len(json.loads(capsys.readouterr().out)["notes"]) == 1
    write_shop(shop, {"tintype.toml": f"{GOOD['tintype.toml']}\n[triggers]\n"})
    assert main(["check", str(shop), "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["notes"] == []


MESSAGE = "when: {event: {source: orders}}\naction: {channel: sms, template: hi}\n"
CHANNELS = """\
sms: {address: phone, templates: {hi: hi}}
robot: {templates: {hi: hi}, providers: [{kind: file, path: robot.txt}]}
"""


@pytest.mark.parametrize(
    ("trigger", "notes"),
    [
        (MESSAGE, ["triggers/hello.yaml:2: note: marketing by 'sms' asks for no consent: all get it who do "
                   "not unsubscribe: add 'guards: {consent: sms/marketing}', or 'purpose: transactional'"]),
        (f"{MESSAGE}guards: {{consent: sms/marketing}}\n", []),
        (f"{MESSAGE}purpose: transactional\n", []),
        (MESSAGE.replace("sms", "robot"), []),
    ],
)  # fmt: skip
def test_check_notes_marketing_to_people_without_consent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], trigger: str, notes: list[str]
) -> None:
    files = {"channels.yaml": CHANNELS, "triggers/hello.yaml": trigger, "triggers/hello.test.yaml": None}
    assert main(["check", str(write_shop(tmp_path / "little", files))]) == exits.OK
    found = capsys.readouterr().out.splitlines()
    assert [line for line in found if line.startswith("triggers")] == notes


def test_check_tells_every_error_on_stderr_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"tags/vip.yaml": "rul: x\n", "metrics.yaml": "spend: [1]\n"}
    assert main(["check", str(write_shop(tmp_path, bad))]) == exits.BAD_INPUT
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split(": ")[0] for line in told.err.splitlines()] == ["metrics.yaml:1", "tags/vip.yaml:1"]


def test_errors_as_json_go_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run_json(capsys, "check", str(write_shop(tmp_path, {"tags/vip.yaml": "rul: x\n"})))
    assert code == exits.BAD_INPUT
    assert told["errors"][0] == {
        "where": "tags/vip.yaml:1",
        "problem": "unknown key 'rul'",
        "hint": "did you mean 'rule'?",
    }


def test_a_wrong_call_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import"]) == exits.BAD_INPUT
    assert main(["no-such-command"]) == exits.BAD_INPUT
    assert "Missing argument 'SHOP'" in capsys.readouterr().err


def test_import_counts_its_rows_and_the_same_file_twice_changes_nothing(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """W2: a row whose content the log has already is left alone."""
    code, first = run_json(capsys, "import", str(shop), write_orders(tmp_path))
    assert code == exits.OK
    assert {name: first[name] for name in ("rows", "new", "rejected")} == {"rows": 3, "new": 2, "rejected": 1}
    assert first["first_rejected"][0]["where"].endswith("orders.csv:4")
    assert Path(first["rejected_files"][0]).is_file()
    _, second = run_json(capsys, "import", str(shop), write_orders(tmp_path))
    assert {name: second[name] for name in ("new", "updated", "unchanged")} == {
        "new": 0,
        "updated": 0,
        "unchanged": 2,
    }
    _, third = run_json(capsys, "import", str(shop), write_orders(tmp_path, ORDERS.replace("7.00", "8.00")))
    assert (third["updated"], third["unchanged"]) == (1, 1)


def test_import_prints_the_rejected_rows_with_line_and_reason(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(shop), write_orders(tmp_path), "--source", "orders"]) == exits.OK
    told = capsys.readouterr().out
    assert "orders.csv:4: " in told
    assert "all rejected rows: " in told


def test_a_file_that_is_not_named_after_a_source_needs_the_option(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "march.csv"
    path.write_text(ORDERS, encoding="utf-8")
    assert main(["import", str(shop), str(path)]) == exits.BAD_INPUT
    assert "march.csv: is not named after a source: say which with --source NAME" in capsys.readouterr().err


def test_another_number_of_partitions_is_another_log(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """P1: the number of partitions stands in the log's header."""
    assert main(["import", str(shop), write_orders(tmp_path)]) == exits.OK
    write_shop(shop, {"tintype.toml": "partitions = 4\n" + GOOD["tintype.toml"]})
    assert main(["import", str(shop), write_orders(tmp_path)]) == exits.BAD_INPUT
    assert "partitions is 4, but the log has 1" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_leaves_the_log_as_it_was(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import streams.intake

    def stopped(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(streams.intake, "write", stopped)
        assert main(["import", str(shop), write_orders(tmp_path)]) == exits.INTERRUPTED
    assert "stopped" in capsys.readouterr().err
    _, again = run_json(capsys, "import", str(shop), write_orders(tmp_path))
    assert again["new"] == 2


def test_schema_writes_all_schemas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", str(tmp_path / "new")]) == exits.OK
    written = {
        path.name: json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "new").iterdir()
    }
    code, told = run_json(capsys, "schema") if capsys.readouterr() else (1, None)
    assert code == exits.OK
    assert told == written
    assert "name" not in written["tag.schema.json"]["properties"]
    assert "if" in written["trigger.schema.json"]["properties"]
