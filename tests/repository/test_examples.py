"""Every shop in examples/ is sound, and every rule in it has a firing and a non-firing case."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main
from app.load import read_folder

ROOT = Path(__file__).resolve().parents[2]
SHOPS = sorted(path.parent.name for path in (ROOT / "examples").glob("*/tintype.toml"))


def test_there_are_examples() -> None:
    assert SHOPS == ["grocer", "online-retail", "shop"]


@pytest.mark.parametrize("name", SHOPS)
def test_every_rule_of_an_example_has_a_timeline_that_fires_and_one_that_does_not(name: str) -> None:
    folder = read_folder(ROOT / "examples" / name)
    lacking = []
    rules = [("tags", rule) for rule, tag in folder.shop.tags.items() if tag.rule is not None]
    rules += [("triggers", rule) for rule in folder.shop.triggers]
    for kind, rule in rules:
        timeline = folder.timelines.get((kind, rule))
        expected = (
            [one for case in timeline.cases for step in case.steps for one in step.expectations()]
            if timeline
            else []
        )
        if kind == "tags":
            fires = any(rule in one.tags for one in expected)
            silent = any(rule in one.not_tags for one in expected)
        else:
            outcomes = [
                [each.outcome for each in one.decisions] for one in expected if one.decisions is not None
            ]
            fires = any("act" in one for one in outcomes)
            silent = any("act" not in one for one in outcomes)
        if not (fires and silent):
            lacking.append(f"{kind}/{rule}")
    assert lacking == []


@pytest.mark.parametrize("name", SHOPS)
def test_the_data_of_an_example_lies_in_the_ignored_data_folder(name: str) -> None:
    folder = ROOT / "examples" / name
    shop = read_folder(folder).shop
    assert (folder / shop.settings.data).resolve() == ROOT / ".data" / name


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOPS)
def test_the_timelines_of_an_example_hold(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["test", str(ROOT / "examples" / name)])
    assert code == 0, capsys.readouterr().out
