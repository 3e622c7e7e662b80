"""``tintype bench`` prints what a bench hands back: a table, Markdown or JSON; and writes its drawings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import main
from bench import cost
from bench.figures import figure
from bench.outcome import Outcome

MET = figure("a thing", 1.25, "us", "another: 1 us", 0.5, 1.0)
MISSED = figure("a slow thing", 12345.0, "us", "", 2.0, 1.0)


def handing_back(monkeypatch: pytest.MonkeyPatch, *rows: dict[str, object]) -> None:
    found = Outcome(list(rows), ["| size |\n|---|\n| 7 |"], {"curve.svg": "<svg/>"})
    monkeypatch.setattr(cost, "measure", lambda: found)


def test_the_rows_are_json_and_a_missed_goal_is_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 0 where every goal is reached."""
    handing_back(monkeypatch, MET)
    assert main(["bench", "cost", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [MET]
    handing_back(monkeypatch, MET, MISSED)
    assert main(["bench", "cost", "--json"]) == 1


def test_markdown_has_the_curves_tables_and_every_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be pasted into a document as it is."""
    handing_back(monkeypatch, MET, MISSED)
    main(["bench", "cost", "--markdown"])
    told = capsys.readouterr().out
    assert told.startswith("| size |\n|---|\n| 7 |\n\n| what |")
    assert "| a thing | 1.25 | us | another: 1 us | 0.5 | 1 | yes |\n" in told
    assert "| a slow thing | 12,345 | us |  | 2 | 1 | no |\n" in told


def test_drawings_go_into_the_folder_named_which_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And the table is printed all the same."""
    handing_back(monkeypatch, MET)
    assert main(["bench", "cost", "--plot", str(tmp_path / "new" / "figures")]) == 0
    assert (tmp_path / "new" / "figures" / "curve.svg").read_text() == "<svg/>"
    assert "a thing" in capsys.readouterr().out


@pytest.mark.parametrize("option", [("--rows", "500"), ("--peers", "faust"), ("--costs",), ("--longer",)])
def test_what_only_the_clusters_bench_has_is_refused_elsewhere(
    option: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was passed over."""
    handing_back(monkeypatch, MET)
    assert main(["bench", "cost", *option]) == 2
    assert f"{option[0]}: bench cost has no such option" in capsys.readouterr().err
