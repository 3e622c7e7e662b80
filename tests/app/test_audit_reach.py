"""How far an audit looks into customers' lives (semantics L3, G1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import exits, inspect
from app.cli import main
from app.embedded import open_embedded
from tests.app.little_shop import write_shop

SIX = "order_id,member_id,created_at,amount,status\n" + "\n".join(
    f"A{n},M{n},2026-03-0{1 + n % 3} 09:00,60.00,paid" for n in range(6)
)


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A shop of six customers with a tag that remembers."""
    tag = "group: value\nrule: spend > 0\nsticky: 1d\n"
    folder = write_shop(tmp_path / "little", {"tags/普通.yaml": tag})
    (tmp_path / "orders.csv").write_text(SIX, encoding="utf-8")
    assert main(["import", str(folder), str(tmp_path / "orders.csv")]) == exits.OK
    capsys.readouterr()
    return folder


def audit(capsys: pytest.CaptureFixture[str], shop: Path, *options: str) -> tuple[int, Any]:
    code = main(["audit", str(shop), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("options", "lives"), [((), 6), (("--lives", "4"), 4), (("--lives", "0"), 0),
                                                (("--lives", "99"), 6), (("--lives", "all"), 6)])  # fmt: skip
def test_so_many_lives_are_replayed(
    shop: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], lives: int
) -> None:
    code, told = audit(capsys, shop, *options)
    assert (code, told["customers"], told["lives"], told["differences"]) == (exits.OK, 6, lives, [])


def test_ten_lives_are_the_default(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The help and the documents say ten."""
    assert inspect.LIVES == 10
    asked: list[int | None] = []

    def note(*arguments: Any, **_: Any) -> dict[str, Any]:
        asked.append(arguments[6])
        return {"differences": []}

    monkeypatch.setattr("app.runtime.audit_minutes", note)
    audit(capsys, shop)
    audit(capsys, shop, "--lives", "all")
    assert asked == [10, None]


def test_where_no_tag_remembers_nobody_is_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path / "plain", {})
    (tmp_path / "orders.csv").write_text(SIX, encoding="utf-8")
    main(["import", str(folder), str(tmp_path / "orders.csv")])
    capsys.readouterr()
    _, told = audit(capsys, folder, "--lives", "all")
    assert told["lives"] == 0


def test_a_wrong_memory_is_found_only_where_the_life_is_replayed(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L3: an engine that forgets a membership is told for each customer looked at."""
    read = inspect.held_at

    def forgetful(*arguments: Any) -> Any:
        held = dict(read(*arguments))
        held["member"] = held["member"].assign(普通=False)
        return held

    monkeypatch.setattr(inspect, "held_at", forgetful)
    for lives, found in (("all", 6), ("2", 2), ("0", 0)):
        code, told = audit(capsys, shop, "--lives", lives)
        assert [one["what"] for one in told["differences"]] == ["tag 普通"] * found
        assert code == (exits.DIFFERENT if found else exits.OK)


def test_the_replay_of_lives_tells_how_far_it_is(shop: Path) -> None:
    from app.runtime import open_shop

    told: list[tuple[int, int]] = []
    with open_shop(shop) as runtime:
        runtime.catch_up()
        runtime.audit(lives=3, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_terminal_says_how_many_and_a_wrong_number_is_told(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(shop), "--lives", "4"]) == exits.OK
    assert "tags with a memory: the lives of 4 of 6 customers" in capsys.readouterr().out
    assert main(["audit", str(shop), "--lives", "some"]) == exits.BAD_INPUT
    told = capsys.readouterr().err
    assert "--lives: 'some' is no number of customers: write a whole number, or all" in told


def test_random_minutes_of_a_shop_without_rows_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path / "empty", {})
    with open_embedded(folder, lambda _: None):
        pass  # it has been at work, and nothing came
    assert main(["audit", str(folder), "--random", "2"]) == exits.BAD_INPUT
    assert "the shop has no rows yet" in capsys.readouterr().err
    assert main(["audit", str(folder)]) == exits.OK
