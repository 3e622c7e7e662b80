"""``tintype triggers``: where each trigger stands, and its next step, written into its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.documents.status_line import with_status, write_status
from app.life.standing import Standing
from app.load import read_folder
from app.output import page
from app.pages.triggers import show_triggers
from sinks.deliveries.shadow import Shadow
from streams.errors import InputError
from tests.app.little_shop import GOOD, write_shop
from tests.app.test_gate import MINUTE, in_force, record, shadowed, shop_with
from triggers.trigger import Forecast

HELLO = GOOD["triggers/hello.yaml"]


def called(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = exits.OK) -> dict[str, Any]:
    assert main(["triggers", *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_lists_where_each_trigger_stands_and_what_it_did_in_shadow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "width", 160)  # it has read the terminal's by now
    in_force(tmp_path, "shadow")
    record(tmp_path, [
        shadowed(tmp_path, 0), shadowed(tmp_path, 1, outcome="refused", guard="cool_down"),
    ])  # fmt: skip
    shop_with(tmp_path, "live")
    (one,) = called(capsys, str(tmp_path))["triggers"]
    assert one.pop("shadow") == {
        "act": 1, "customers": 1, "refused": {"cool_down": 1}, "held": 0, "contradicted": 0,
    }  # fmt: skip
    assert len(one.pop("version")) == 12
    assert one == {
        "name": "hello", "status": "live", "in_force": "shadow", "since": 0, "rule_in_force": True,
        "shadow_since": 0, "was_live": False, "forecast": None, "stopped": None,
    }  # fmt: skip
    assert main(["switch", str(tmp_path), "trigger/hello", "--off", "--reason", "wrong"]) == exits.OK
    assert "off: trigger/hello (wrong)" in capsys.readouterr().out
    assert called(capsys, str(tmp_path))["triggers"][0]["stopped"] == "wrong"
    assert main(["triggers", str(tmp_path), "list", "hello"]) == exits.OK
    told = " ".join(capsys.readouterr().out.split())
    assert "hello is switched off: wrong; tintype switch SHOP trigger/hello --on lets it go on" in told
    assert "the beginning 1 1 hello: in shadow refused by cool_down 1" in told
    shop_with(tmp_path, "live", "if: spend > 5\n")
    assert main(["triggers", str(tmp_path)]) == exits.OK
    assert "live shadow, another rule the beginning hello" in " ".join(capsys.readouterr().out.split())


def test_it_lists_a_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shop_with(tmp_path, "shadow") / "triggers/hello.yaml"
    forecast = "cool_down: 30d, forecast: {most: 5, within: 1h}"
    path.write_text(path.read_text("utf-8").replace("cool_down: 30d", forecast), "utf-8")
    (one,) = called(capsys, str(tmp_path))["triggers"]
    assert one["forecast"] == {"most": 5, "within": "1h"}
@pytest.mark.parametrize("width", [80, 120])
def test_no_name_of_a_trigger_is_folded(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "width", width)
    ran, most = Shadow(8412, 7000, {"consent": 1040, "quiet_hours": 300}), Forecast(most=960, within="1h")
    told = ("live", "v", "shadow", 29_540_000, False, 29_530_000, True, ran, most, "fired 3,140 times")
    names = ["browsed_not_bought_lately", "高价值客户关怀与挽留计划[一]"]
    show_triggers([Standing(name, *told) for name in names], "Asia/Shanghai")
    lines = capsys.readouterr().out.splitlines()
    for name in names:
        assert len([line for line in lines if line.startswith(f"{name} ")]) == 2  # in the table; its switch
        assert f"{name}: in shadow refused by consent 1,040, quiet_hours 300" in lines
        assert f"{name}: forecast 960 in 1h" in lines
    assert len([line for line in lines if "7,000" in line]) == len(names)


def test_a_shop_without_a_log_lists_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = called(capsys, str(shop_with(tmp_path, "draft")))["triggers"]
    assert (one["status"], one["in_force"], one["since"], one["shadow_since"]) == ("draft", None, None, None)


def test_each_step_is_written_into_the_file_and_live_needs_shadow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop_with(tmp_path, "draft")
    file = folder / "triggers" / "hello.yaml"
    step = called(capsys, str(folder), "shadow", "hello")
    assert step == {"trigger": "hello", "before": "draft", "status": "shadow"}
    assert file.read_text("utf-8") == f"{HELLO}status: shadow\n"
    told = called(capsys, str(folder), "live", "hello", "--yes", code=exits.BAD_INPUT)["errors"]
    assert told[0]["problem"] == "is live, and has not run in shadow"
    in_force(folder, "shadow")
    assert called(capsys, str(folder), "live", "hello", "--yes")["status"] == "live"
    for act, status in (("pause", "paused"), ("archive", "archived"), ("draft", "draft")):
        called(capsys, str(folder), act, "hello")
        assert file.read_text("utf-8") == f"{HELLO}status: {status}\n"


def test_somebody_who_says_no_keeps_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_force(tmp_path, "shadow")
    monkeypatch.setattr("app.commands.triggers.typer.confirm", lambda *_, **__: False)
    assert main(["triggers", str(tmp_path), "live", "hello"]) == exits.BAD_INPUT
    assert read_folder(tmp_path).shop.triggers["hello"].status == "shadow"


@pytest.mark.parametrize(
    ("status", "arguments", "told"),
    [
        ("draft", ["live", "hello"], "a trigger that is draft cannot go to 'live'; it can: shadow, archive"),
        ("archived", ["shadow", "hello"], "a trigger that is archived cannot go to 'shadow'; it can: draft"),
        ("live", ["live", "hello"], "cannot go to 'live'"),
        ("live", ["pause"], "write: tintype triggers SHOP pause NAME"),
        ("live", ["pause", "helo"], "did you mean 'hello'?"),
        ("live", ["list", "helo"], "did you mean 'hello'?"),
    ],
)
def test_what_the_table_does_not_have_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, arguments: list[str], told: str
) -> None:
    folder = shop_with(tmp_path, status)
    (error,) = called(capsys, str(folder), *arguments, code=exits.BAD_INPUT)["errors"]
    assert told in f"{error['problem']}: {error['hint']}"


def test_a_shop_that_does_without_shadow_is_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path, {"triggers/hello.yaml": f"{HELLO}status: paused\n"})
    assert called(capsys, str(folder), "live", "hello")["status"] == "live"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when: {enter: vip}\n", "when: {enter: vip}\nstatus: live\n"),
        ("when: {enter: vip}", "when: {enter: vip}\nstatus: live\n"),
        ("# 你好\r\nwhen: {enter: vip}\r\n", "# 你好\r\nwhen: {enter: vip}\r\nstatus: live\r\n"),
        ("status:   'shadow'   # since May\nif: 'a'\n", "status:   live   # since May\nif: 'a'\n"),
        ('status : "shadow"\n', "status : live\n"),
        ("\ufeffstatus: shadow\n", "\ufeffstatus: live\n"),
        ("title: |\n  status: shadow\nstatus: paused\n", "title: |\n  status: shadow\nstatus: live\n"),
    ],
)  # fmt: skip
def test_one_line_of_a_file_changes_and_nothing_else(text: str, expected: str) -> None:
    assert with_status(text, "t.yaml", "live") == expected


@pytest.mark.parametrize("text", ["{when: {enter: vip}}", "status:\n  shadow\n", "{status: shadow, if: 'a'}"])
def test_a_file_of_another_shape_is_left_to_a_person(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError, match="write status: live there"):
        write_status(file, "t.yaml", "live")
    assert [one.name for one in tmp_path.iterdir()] == ["t.yaml"]
    assert file.read_text("utf-8") == text


def test_a_forecast_is_three_times_the_busiest_span(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By what its rule did in shadow and all that it did live."""
    in_force(tmp_path, "shadow")
    assert called(capsys, str(tmp_path), "forecast", "hello")["acts"] == 0
    busy = [shadowed(tmp_path, n, minute=MINUTE + n % 90) for n in range(90)]
    record(tmp_path, [*busy, shadowed(tmp_path, 90, outcome="refused", minute=MINUTE)])
    assert called(capsys, str(tmp_path), "forecast", "hello") == {
        "trigger": "hello", "most": 180, "within": "1h", "busiest": 60, "ended": MINUTE + 59, "acts": 90,
    }  # fmt: skip
    assert called(capsys, str(tmp_path), "forecast", "hello", "--within", "1d")["most"] == 270
    assert main(["triggers", str(tmp_path), "forecast", "hello"]) == exits.OK
    assert "guards:\n  forecast: {most: 180, within: 1h}" in capsys.readouterr().out
    for wrong in ("8d", "soon"):
        (error,) = called(
            capsys, str(tmp_path), "forecast", "hello", "--within", wrong, code=exits.BAD_INPUT
        )["errors"]
        assert error["where"] == "--within"
