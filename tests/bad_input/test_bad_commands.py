# ruff: noqa: E501 - one case a line, so that the table reads as one
"""A wrong call ends with code 2 and says what to do; it never ends with a traceback, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import exits
from app.cli import main
from app.load import load_shop
from app.runtime import keep_settings
from streams.intake import import_files
from streams.log.log import FILE_NAME, Log
from tests.bad_input.files import HEAD, ROW
from tests.bad_input.shop import write_shop
from tests.bad_input.state import state_of

# Each row: what is wrong, the call, and parts of what is told. SHOP has a log with one row and one dead letter, EMPTY
# has none, FILE is a file that could be imported.
CASES: list[tuple[str, list[str], list[str]]] = [
    ("a folder that is not there", ["check", "SHOP/none"], ["is no shop's folder", "name an existing folder"]),
    ("a file for a folder", ["check", "FILE"], ["is no shop's folder", "name an existing folder"]),
    ("no folder", ["check"], ["Missing argument 'SHOP'"]),
    ("an option that is none", ["check", "SHOP", "--nosuch"], ["No such option", "--nosuch"]),
    ("a command that is none", ["frobnicate"], ["No such command", "frobnicate"]),
    ("a shop without a log", ["profile", "EMPTY", "member:M1"], ["there is no log yet", "tintype import"]),
    ("a customer nobody knows", ["profile", "SHOP", "member:M9"], ["member:M9: no customer is known", "write type:value"]),
    ("a customer without a type", ["profile", "SHOP", "M1"], ["M1: no customer is known", "write type:value"]),
    ("an empty customer", ["profile", "SHOP", ""], ["no customer is known", "write type:value"]),
    ("an id nobody has", ["profile", "SHOP", "0" * 32], ["no customer is known", "the id of 32 hex digits"]),
    ("an id that is none", ["profile", "SHOP", "z" * 32], ["no customer is known", "the id of 32 hex digits"]),
    ("a time in words", ["profile", "SHOP", "member:M1", "--at", "yesterday"], ["--at: 'yesterday' is no time", "write one such as"]),
    ("no time", ["profile", "SHOP", "member:M1", "--at", ""], ["--at: '' is no time", "write one such as"]),
    ("a day that is not", ["profile", "SHOP", "member:M1", "--at", "2026-02-30"], ["'2026-02-30' is no time", "write one such as"]),
    ("a time in 1960", ["profile", "SHOP", "member:M1", "--at", "1960-01-01"], ["is outside 1970 to 2200", "write another year"]),
    ("a time in 2300", ["profile", "SHOP", "member:M1", "--at", "2300-01-01"], ["is outside 1970 to 2200", "write another year"]),
    ("a time to come", ["profile", "SHOP", "member:M1", "--at", "2100-01-01"], ["--at: lies after the log's clock", "name a minute that the log has reached"]),
    ("an audit of a time to come", ["audit", "SHOP", "--at", "2100-01-01"], ["--at: lies after the log's clock", "name a minute that the log has reached"]),
    ("a length without a beginning", ["profile", "SHOP", "member:M1", "--at", "+1h"], ["has nothing to count from", "write a time such as"]),
    ("no random minute", ["audit", "SHOP", "--random", "0"], ["--random", "greater than or equal to 1"]),
    ("random minutes in words", ["audit", "SHOP", "--random", "x"], ["--random", "should be a valid integer"]),
    ("lives in words", ["audit", "SHOP", "--lives", "some"], ["'some' is no number of customers", "or all"]),
    ("a time and random minutes", ["audit", "SHOP", "--at", "2026-03-01", "--random", "2"], ["does not go together with --random"]),
    ("a letter that is not named", ["dead", "SHOP", "show"], ["no letter is named", "tintype dead SHOP show ID"]),
    ("a letter that is not there", ["dead", "SHOP", "show", "99"], ["dead letter 99: there is none with this number", "tintype dead SHOP list"]),
    ("letter 0", ["dead", "SHOP", "show", "0"], ["dead letter 0: there is none with this number"]),
    ("a letter beyond 64 bits", ["dead", "SHOP", "show", str(2**70)], [f"dead letter {2**70}: there is none with this number"]),
    ("a letter in words", ["dead", "SHOP", "show", "x"], ["should be a valid integer"]),
    ("nothing to mend", ["dead", "SHOP", "fix", "1"], ["it mends one letter, by --set or by --file"]),
    ("a column without a value", ["dead", "SHOP", "fix", "1", "--set", "amount"], ["'amount' names no value", "write COLUMN=VALUE"]),
    ("mended by both", ["dead", "SHOP", "fix", "1", "--set", "a=1", "--file", "FILE"], ["it mends one letter, by --set or by --file"]),
    ("mended by no file", ["dead", "SHOP", "fix", "1", "--file", "SHOP/none"], ["cannot be read (No such file or directory)", "check the path"]),
    ("mended by a folder", ["dead", "SHOP", "fix", "1", "--file", "SHOP"], ["cannot be read (Is a directory)", "check the path"]),
    ("mending what is not there", ["dead", "SHOP", "fix", "99", "--set", "a=1"], ["dead letter 99: there is none"]),
    ("replaying what is not there", ["dead", "SHOP", "replay", "99"], ["dead letter 99: there is none"]),
    ("dropping what is not there", ["dead", "SHOP", "drop", "99"], ["dead letter 99: there is none"]),
    ("dropping without a name", ["dead", "SHOP", "drop"], ["no letter is named", "drop ID, or --source"]),
    ("what is done to no letter", ["dead", "SHOP", "burn", "1"], ["'burn' is not one of"]),
    ("letters of no source", ["dead", "SHOP", "list", "--source", "order"], ["there is no source 'order'", "did you mean 'orders'?"]),
    ("letters without a log", ["dead", "EMPTY"], ["there is no log here", "import something first"]),
    ("no file to import", ["import", "SHOP"], ["Missing argument 'FILE...'"]),
    ("a file named after no source", ["import", "SHOP", "SHOP/none.csv"], ["is not named after a source", "--source NAME"]),
    ("a file that is not there", ["import", "SHOP", "SHOP/none.csv", "--source", "orders"], ["there is no such file", "check the path"]),
    ("a source that is not there", ["import", "SHOP", "FILE", "--source", "nosuch"], ["source 'nosuch' does not exist", "the shop's sources are agreed"]),
    ("a folder of files", ["import", "SHOP", "SHOP/tags", "--source", "orders"], ["is a folder", "name the files in it"]),
    ("schemas into a file", ["schema", "FILE"], ["cannot be written (File exists)", "name a folder"]),
    ("a benchmark that is none", ["bench", "nosuch"], ["nosuch"]),
    ("timelines of no shop", ["test", "SHOP/none"], ["is no shop's folder"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("commands")
    shop = write_shop(folder / "shop")
    (folder / "orders.csv").write_text(HEAD + ROW + ROW.replace("F1", "F2").replace("12.50", "-1"), encoding="utf-8")
    declared = load_shop(shop)
    with Log.create(shop / "data", "Bad", 1) as log:
        keep_settings(log, declared)
        report = import_files(log, declared, [("orders", folder / "orders.csv")])
        assert (report.new, report.rejected) == (1, 1)
    return {"SHOP": shop, "EMPTY": write_shop(folder / "empty"), "FILE": folder / "orders.csv"}


@pytest.mark.parametrize(("what", "call", "told"), CASES, ids=[case[0] for case in CASES])
def test_a_wrong_call_ends_with_2(
    places: dict[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    what: str, call: list[str], told: list[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "300")
    with Log.open(places["SHOP"] / "data") as log:
        before = state_of(log)
    for name, path in places.items():
        call = [str(path) + word.removeprefix(name) if word.startswith(name) else word for word in call]
    assert main(call) == exits.BAD_INPUT
    error = " ".join(capsys.readouterr().err.split())
    assert all(part in error for part in told), error
    with Log.open(places["SHOP"] / "data") as log:
        assert state_of(log) == before


DAMAGES = [
    ("cut short", lambda whole: whole[:100]),
    ("cut in half", lambda whole: whole[: len(whole) // 2]),
    ("another file", lambda whole: b"not a database"),
    ("emptied", lambda whole: b""),
]


@pytest.mark.parametrize(("what", "damage"), DAMAGES, ids=[case[0] for case in DAMAGES])
@pytest.mark.parametrize("call", [["profile", "SHOP", "member:M1"], ["dead", "SHOP"], ["import", "SHOP", "FILE"]])
def test_a_damaged_log_is_told_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, damage: object, call: list[str]
) -> None:
    shop = write_shop(tmp_path / "shop")
    (tmp_path / "orders.csv").write_text(HEAD + ROW, encoding="utf-8")
    with Log.create(shop / "data", "Bad", 1) as log:
        import_files(log, load_shop(shop), [("orders", tmp_path / "orders.csv")])
    path = shop / "data" / FILE_NAME
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    there = path.read_bytes()
    named = {"SHOP": str(shop), "FILE": str(tmp_path / "orders.csv")}
    assert main([named.get(word, word) for word in call]) == exits.BAD_INPUT
    error = capsys.readouterr().err
    assert "this is no log, or it is damaged" in error
    assert "restore it from a copy" in error
    assert path.read_bytes() == there


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = write_shop(tmp_path / "shop")
    (shop / "data").write_text("x", encoding="utf-8")
    (tmp_path / "orders.csv").write_text(HEAD + ROW, encoding="utf-8")
    assert main(["import", str(shop), str(tmp_path / "orders.csv")]) == exits.BAD_INPUT
    assert "the folder cannot be made (File exists): name another data folder" in capsys.readouterr().err
