"""Nothing goes live that has not run in shadow, with its count shown (semantics D6)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.life.gate import (
    Rising,
    asking,
    next_applied,
    open_at_gate,
    past_of_applied,
    past_of_log,
    refuse_unproven,
)
from app.load import read_folder
from app.log_folder import data_folder
from app.problems import ConfigError
from app.runtime import keep_settings
from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.shadow import Shadow, shadow_of
from streams.changes.settings import Applied
from streams.errors import InputError
from streams.live import append_ticks
from tests.app.little_shop import GOOD, write_shop
from tests.sinks.test_channels import decision
from triggers.version import version_of

TOML = "history = false\n" + GOOD["tintype.toml"] + "\n[triggers]\nshadow_first = true\n"
MINUTE = 29_540_000


def shop_with(folder: Path, status: str | None, rule: str = "") -> Path:
    said = "" if status is None else f"status: {status}\n"
    hello = GOOD["triggers/hello.yaml"] + rule + said
    return write_shop(folder, {"tintype.toml": TOML, "triggers/hello.yaml": hello})


def in_force(folder: Path, status: str | None, rule: str = "") -> list[Rising]:
    """Put settings in force, a minute of the log later; return what went live for the first time."""
    rises: list[Rising] = []
    read = read_folder(shop_with(folder, status, rule))
    with open_at_gate(read, rises.extend) as log:
        keep_settings(log, read.shop)
        append_ticks(log, max(MINUTE, (log.clock() or 0) + 1), "live")
    return rises


def refused(folder: Path, status: str | None, rule: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        in_force(folder, status, rule)
    return str(caught.value)


def record(folder: Path, made: Sequence[Decision]) -> None:
    ledger = Ledger(data_folder(folder, read_folder(folder).shop))
    ledger.take("test", [(one, None) for one in made], {0: len(made)})
    ledger.close()


def shadowed(folder: Path, number: int, **more: Any) -> Decision:
    version = version_of(read_folder(folder).shop.triggers["hello"])
    one = decision(id=f"{number:032x}", seq=number, trigger="hello", status="shadow", version=version)
    return replace(one, **more)


def test_a_live_trigger_of_a_new_shop_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    told = refused(tmp_path, None)
    assert told.startswith("triggers/hello.yaml:1: is live, and has not run in shadow: write 'status: sha")
    assert "triggers/hello.yaml:4: " in refused(tmp_path, "live")
    assert not data_folder(tmp_path, read_folder(tmp_path).shop).exists()


@pytest.mark.parametrize("status", ["draft", "shadow", "paused", "archived"])
def test_what_is_not_live_needs_no_trial(tmp_path: Path, status: str) -> None:
    assert in_force(tmp_path, status) == []


def test_what_ran_in_shadow_goes_live_with_its_count(tmp_path: Path) -> None:
    in_force(tmp_path, "shadow")
    record(tmp_path, [
        shadowed(tmp_path, 0, customer="a"), shadowed(tmp_path, 1, customer="a"),
        shadowed(tmp_path, 2, customer="b"), shadowed(tmp_path, 3, outcome="held"),
        shadowed(tmp_path, 4, outcome="refused", guard="consent"),
        shadowed(tmp_path, 5, outcome="refused", guard="late", version="another"),
        shadowed(tmp_path, 6, status="live"), shadowed(tmp_path, 7, trigger="other"),
    ])  # fmt: skip
    in_force(tmp_path, "paused")
    (one,) = in_force(tmp_path, "live")
    assert one == Rising("hello", 0, Shadow(3, 2, {"consent": 1}, 1))
    in_force(tmp_path, "shadow")
    assert in_force(tmp_path, "live") == []  # it was live already


def test_another_rule_has_to_run_in_shadow_again(tmp_path: Path) -> None:
    in_force(tmp_path, "shadow")
    assert "its rule is another than has run" in refused(tmp_path, "live", "if: spend > 5\n")
    assert in_force(tmp_path, "live", "title: Hello\n") != []  # words for people are no part of it
    assert "its rule is another than has run" in refused(tmp_path, "live", "if: spend > 5\n")
    assert in_force(tmp_path, "live") == []


def test_what_comes_back_from_the_archive_has_to_run_in_shadow_again(tmp_path: Path) -> None:
    for status in ("shadow", "live", "archived", "draft"):
        in_force(tmp_path, status)
    assert "has not run in shadow" in refused(tmp_path, "live")
    in_force(tmp_path, "shadow")
    assert [one.trigger for one in in_force(tmp_path, "live")] == ["hello"]


def test_what_was_live_before_there_was_a_gate_stays_so(tmp_path: Path) -> None:
    with open_at_gate(read_folder(write_shop(tmp_path, {})), lambda _: None) as log:
        keep_settings(log, read_folder(tmp_path).shop)
    assert in_force(tmp_path, None, "description: told\n") == []
    assert in_force(tmp_path, "paused") == []
    assert in_force(tmp_path, "live") == []


def test_what_nobody_agrees_to_changes_nothing(tmp_path: Path) -> None:
    in_force(tmp_path, "shadow")

    def no(_: object) -> None:
        raise InputError("hello", "no", "no")

    with pytest.raises(InputError):
        open_at_gate(read_folder(shop_with(tmp_path, "live")), no)
    assert [one.trigger for one in in_force(tmp_path, "live")] == ["hello"]  # it is not live yet


@pytest.mark.parametrize(("yes", "terminal", "asked"), [(0, 1, 1), (1, 1, 0), (0, 0, 0)])
def test_a_terminal_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yes: int, terminal: int, asked: int
) -> None:
    said, questions = list[str](), list[str]()

    def confirm(question: str, err: bool) -> bool:
        questions.append(question)
        return False

    monkeypatch.setattr("app.life.gate.typer.confirm", confirm)
    monkeypatch.setattr("app.life.gate.sys.stdin", type("In", (), {"isatty": lambda _: bool(terminal)})())
    agree = asking(said.append, read_folder(write_shop(tmp_path, {})).shop, bool(yes))
    rises = [Rising("hello", MINUTE, Shadow(1, 1, {"late": 2}))]
    if asked:
        with pytest.raises(InputError, match="nothing was changed"):
            agree(rises)
    else:
        agree(rises)
    assert len(questions) == asked
    assert said == [
        "hello goes live; in shadow since 2026-03-02 05:20 it would have sent 1 messages to 1 customers, and "
        "2 were refused (late 2)"
    ]


def test_commands_that_write_the_log_refuse_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = shop_with(tmp_path, None), tmp_path / "orders.csv"
    file.write_text("order_id,member_id,created_at,amount,status\n", encoding="utf-8")
    for command in (["run", str(folder), "--port", "0"], ["import", str(folder), str(file)]):
        assert main(command) == exits.BAD_INPUT
        assert "triggers/hello.yaml:1: is live, and has not run in shadow" in capsys.readouterr().err
        assert not (folder / "data").exists()
    in_force(tmp_path, "shadow")
    shop_with(tmp_path, "live", "if: spend > 5\n")
    assert main(["audit", str(folder)]) == exits.BAD_INPUT
    assert "its rule is another" in capsys.readouterr().err


def test_a_clusters_settings_carry_what_has_run(tmp_path: Path) -> None:
    """No log is read for it; settings of before it was noted count as what was in force."""
    shadow = read_folder(shop_with(tmp_path, "shadow")).shop
    live = read_folder(shop_with(tmp_path, "live")).shop

    def where(label: str, _: str) -> str:
        return label

    with pytest.raises(ConfigError):
        refuse_unproven(past_of_applied(Applied(0, "")), live, where)
    first = Applied.decoded(next_applied(Applied(0, ""), {}, shadow, 5).encoded())
    past = past_of_applied(first)
    refuse_unproven(past, live, where)
    assert past["hello"].since == 5
    second = next_applied(first, past, live, 6)
    assert (second.number, past_of_applied(second)["hello"].since) == (2, 6)
    former = Applied.decoded(json.dumps({"number": 7, "shop": second.shop}).encode())
    refuse_unproven(past_of_applied(former), live, where)


def test_decisions_in_shadow_are_found_by_their_index(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    queries: list[str] = []
    ledger.connection.set_trace_callback(queries.append)
    shadow_of(ledger.connection, "hello", ["v"])
    ledger.connection.set_trace_callback(None)
    plans = [_plan(ledger.connection, query) for query in queries]
    assert len(plans) == 3
    assert all("decision_shadow" in plan or "SEARCH shadow_count USING PRIMARY KEY" in plan for plan in plans)
    ledger.close()


def _plan(connection: sqlite3.Connection, query: str) -> str:
    return str(connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())


def test_the_past_of_a_log_says_since_when(tmp_path: Path) -> None:
    for status in ("shadow", "paused", "paused"):
        in_force(tmp_path, status)
    read = read_folder(tmp_path)
    with open_at_gate(read, lambda _: None) as log:
        past = past_of_log(log)["hello"]
    assert (past.status, past.since) == ("paused", MINUTE)
