"""``tintype recommendations``: trained by hand, shown, and what a customer would get."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.load import load_shop
from app.log_folder import data_folder, open_log
from sinks.history.relay import HistoryRelay
from tests.app.little_shop import write_shop
from tests.console.recommending_shop import AT, FILES, SLOTS

LINES = "line,member_id,at,sku,pieces\n" + "".join(
    f"{n}{sku},M{n},{AT},{sku},1\n" for n in range(1, 5) for sku in ("T1", "T2")
) + f"9,M9,{AT},T1,1\n10,M8,{AT},T4,1\n"  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("command")
    for_all = SLOTS.replace("{consent: web/profile}", "{}")
    shop = write_shop(made / "shop", {**FILES, "recommendations.yaml": for_all})
    (made / "lines.csv").write_text(LINES, encoding="utf-8")
    assert main(["import", str(shop), str(made / "lines.csv"), "--source", "lines"]) == 0
    return shop


def read(folder: Path) -> tuple[list[int], int | None]:
    """Return the steps that the shop's log has in each partition, and its clock."""
    with open_log(folder, load_shop(folder)) as log:
        return log.next_steps(), log.clock()


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    code = main(["recommendations", *arguments, "--json"])
    out = json.loads(capsys.readouterr().out)
    assert code == (2 if "errors" in out else 0)
    return out


def test_a_model_is_trained_by_hand_and_shown_and_so_is_what_a_customer_would_get(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sending.relays.HistoryRelay", partial(HistoryRelay, seconds=0.05))
    shop = str(folder)
    before = read(folder)
    [error] = told(capsys, shop)["errors"]
    assert error["problem"] == "nothing was trained yet"
    assert read(folder) == before
    made = told(capsys, shop, "--train")
    before = read(folder)
    assert {name: made[name] for name in ("items", "customers", "rows", "popular")} == {
        "items": 3, "customers": 6, "rows": 10, "popular": {"popular": 3, "popular in tag 茶客": 0},
    }  # fmt: skip
    assert made["bytes"]["model"] > 100
    found = told(capsys, shop, "--customer", "member:M9", "--slot", "home")
    assert list(found["slots"]) == ["home"]
    assert found["slots"]["home"]["items"][0]["because"]["text"]["en"] == "Because you bought Longjing"
    assert told(capsys, shop)["version"] == made["version"]
    [error] = told(capsys, shop, "--customer", "member:M0")["errors"]
    assert error["problem"] == "no customer is known by this reference"
    assert read(folder) == before


def test_a_shop_without_a_log_is_told_and_gets_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = write_shop(tmp_path / "shop", {**FILES, "recommendations.yaml": SLOTS})
    [error] = told(capsys, str(shop))["errors"]
    assert error["problem"] == "nothing was trained yet"
    assert not data_folder(shop, load_shop(shop)).exists()


@pytest.mark.parametrize(
    ("arguments", "where", "problem"),
    [
        (["--slot", "hom"], "--slot", "there is no slot 'hom'"),
        (["--keep"], "--keep", "is for a cluster"),
    ],
)
def test_wrong_options_are_told(
    folder: Path, arguments: list[str], where: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [error] = told(capsys, str(folder), *arguments)["errors"]
    assert (error["where"], error["problem"]) == (where, problem)


def test_a_shop_without_slots_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [error] = told(capsys, str(write_shop(tmp_path / "shop", {})))["errors"]
    assert error["problem"] == "has no recommendation slots"
