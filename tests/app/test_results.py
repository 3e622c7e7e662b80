"""What a trigger has brought: the edges of windows, differences worked out elsewhere, the command's page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy.stats import t

from app import exits
from app.cli import main
from app.history_folder import open_history
from app.load import load_shop
from app.log_folder import open_log
from app.runtime import keep_settings
from sinks.history.history import EFFECTS
from sinks.history.pages import of_effects
from streams.live import append_changes, append_ticks
from tests.app.little_shop import GOOD, write_shop
from tests.sinks.history_shop import decision
from triggers.results import Group, Results, results, value_difference
from triggers.version import version_of

DAY = 1440
START = 29_541_600  # 2026-03-03 08:00 in Shanghai
HELLO = "triggers/hello.yaml"
GOAL = "goal: {source: orders, where: 'status == \"paid\"', within: 3d, value: amount}\n"


def frame(rows: Sequence[tuple[Any, ...]], *numbers: str) -> pd.DataFrame:
    found = pd.DataFrame(list(rows), columns=["customer", *numbers])
    return found.astype(dict.fromkeys(numbers, "int64"))


def counted(
    rows: Sequence[tuple[str, int, int]], acts: Sequence[tuple[str, int]], as_of: int
) -> Results:
    exposed = frame([("a", 100, 0), ("b", 100, 1), ("c", 110, 0)], "minute", "held_out")
    exposed["held_out"] = exposed["held_out"].astype(bool)
    return results(exposed, frame(acts, "minute"), frame(rows, "minute", "value"), 10, as_of)


def test_a_window_begins_behind_its_minute_and_ends_with_its_last() -> None:
    """At the decision's own minute nothing counts: the row that set it off is not what it brought."""
    for minute, counts in ((100, 0), (101, 1), (110, 1), (111, 0)):
        found = counted([("a", minute, 7)], [("a", 100)], 110)
        assert found.reached == Group(1, counts, counts, 7 * counts)
        assert found.converted == counts
        assert found.open == 1  # c's
    assert counted([("a", 105, 7)], [("a", 100)], 109).open == 3  # minute 110 is not whole yet


def test_a_row_counts_for_the_last_act_before_it_alone() -> None:
    acts = [("a", 100), ("a", 104), ("a", 104), ("a", 120)]
    assert counted([("a", 104, 1)], acts, 200).converted == 1  # of 100: at its own minute none does
    assert counted([("a", 105, 1), ("a", 106, 1)], acts, 200).converted == 1
    assert counted([("a", 102, 1), ("a", 106, 1), ("a", 130, 1)], acts, 200).converted == 3
    assert counted([("a", 117, 1), ("b", 101, 1)], acts, 200).converted == 0


def test_nobody_gives_no_rate_and_few_give_no_interval() -> None:
    found = counted([], [], 50)
    assert (found.reached.rate, found.reached.value_each, found.rate, found.value) == (None, None, None, None)
    same = pd.Series([0, 0, 0])
    assert value_difference(same, same) is None
    assert value_difference(pd.Series([1]), same) is None


def test_the_difference_of_means_is_welchs() -> None:
    """Variances 35/3 and 4/3 of four and three: by hand, but for the quantile of Student's t."""
    found = value_difference(pd.Series([3, 5, 9, 1]), pd.Series([2, 2, 4]))
    assert found is not None
    parts = 35 / 3 / 4, 4 / 3 / 3
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 2)
    wide = t.ppf(0.975, freedom) * sum(parts) ** 0.5
    assert found.difference == pytest.approx(4.5 - 8 / 3)
    assert (found.low, found.high) == pytest.approx((4.5 - 8 / 3 - wide, 4.5 - 8 / 3 + wide))
    assert not found.clear


def test_a_goal_is_no_part_of_a_triggers_version(tmp_path: Path) -> None:
    without = load_shop(write_shop(tmp_path, {})).triggers["hello"]
    with_goal = load_shop(write_shop(tmp_path, {HELLO: GOOD[HELLO] + GOAL})).triggers["hello"]
    assert with_goal.goal is not None
    assert version_of(with_goal) == version_of(without)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten customers had a decision, three of them held out; five have paid since, one of those held out."""
    made = write_shop(tmp_path, {HELLO: GOOD[HELLO] + GOAL})
    shop = load_shop(made)
    with open_log(made, shop, write=True) as log:
        keep_settings(log, shop)
        append_ticks(log, START)
        rows = [
            {"order_id": f"A{n}", "member_id": f"M{n}", "created_at": "2026-03-03 09:00",
             "amount": f"{n}0.50", "status": "paid" if n % 2 else ""} for n in range(10)
        ]  # fmt: skip
        append_changes(log, shop, "orders", rows, START + 60)
        append_ticks(log, START + 4 * DAY)
        with open_history(made, shop, log) as history:
            found = history.query("SELECT customer FROM changes_orders ORDER BY event_us, key_high")
            held = [
                decision(0, seq, START, customer=one, trigger="hello",
                         **({"outcome": "refused", "guard": "hold_out"} if seq < 3 else {}))
                for seq, one in enumerate(found["customer"].to_pylist())
            ]  # fmt: skip
            history.write(EFFECTS, [of_effects(held)])
    return made


def test_the_command_says_what_was_brought_and_how_sure_that_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["results", str(folder), "hello", "--json"]) == exits.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["reached"]["customers"], told["held_out"]["customers"], told["open"]) == (7, 3, 0)
    assert told["reached"]["converted"] + told["held_out"]["converted"] == 5
    assert told["reached"]["value"] + told["held_out"]["value"] == 100 * (10 + 30 + 50 + 70 + 90) + 250
    assert told["reached"]["rate"] == told["reached"]["converted"] / 7
    assert (told["acts"], told["as_of"]) == (7, "2026-03-07 07:59")
    assert told["rate"]["low"] < told["rate"]["difference"] < told["rate"]["high"]
    assert main(["results", str(folder), "hello"]) == exits.OK
    text = capsys.readouterr().out
    assert "hello: orders where status == \"paid\", within 3d behind its first decision" in text
    assert "it is not clear whether it brings anything: zero lies within the interval" in text
    assert "7 decisions to act" in text
    assert main(["results", str(folder), "hello", "--from", "2026-03-03 08:01", "--json"]) == exits.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["acts"], told["rate"], told["reached"]["rate"]) == (0, None, None)
    assert main(["results", str(folder), "hello", "--from", "2026-03-03 08:01"]) == exits.OK
    assert "nobody's window is over yet" in capsys.readouterr().out
    assert main(["results", str(folder), "hello", "--to", "2026-03-03 08:01", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["acts"] == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ho"], "there is no such trigger"), (["hello", "--from", "soon"], "'soon' is no time"),
        (["hello", "--to", "soon"], "'soon' is no time"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["results", str(folder), *arguments]) == exits.BAD_INPUT
    assert told in capsys.readouterr().err


def test_a_trigger_without_a_goal_says_how_to_give_it_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["results", str(write_shop(tmp_path, {})), "hello"]) == exits.BAD_INPUT
    told = " ".join(capsys.readouterr().err.split())
    assert "triggers/hello.yaml: has no goal" in told
    assert "goal: {source: orders, within: 7d}" in told
