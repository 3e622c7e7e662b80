"""How often an owner makes an overview, and what several come to together."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app import overviews
from app.overviews import Overviews, read
from engine.engine import Engine
from engine.overview import CutPoints, ModelOverview, Overview, summed

CUTS = CutPoints(100, [5, 9], [2, 3], [10, 20])
ONE = Overview(
    {"vip": 3, "new": 1},
    [ModelOverview("rfm", [[1, 0], [2, 3]], [[10, 0], [20, 30]], [("a", 4, 50), ("b", 2, 10)], CUTS)],
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """[seconds now, seconds that an overview takes]."""
    clock = [100.0, 0.0]

    def slow(_: Any) -> Overview:
        clock[0] += clock[1]
        return ONE

    monkeypatch.setattr(overviews, "overview", slow)
    return clock


def is_due(made: Overviews) -> bool:
    return made.is_due


def test_an_overview_takes_a_fiftieth_of_the_time_at_most(clock: list[float]) -> None:
    """And comes no more often than each second, but at once with other settings."""
    version = ["one"]
    engine = cast(Engine, SimpleNamespace(steps=[7], clock=3))
    made = Overviews(lambda: engine, lambda: version[0], lambda: clock[0])
    first = made.made()
    assert first is not None
    assert (read(first).step, read(first).clock, read(first).overview) == (7, 3, ONE)
    clock[0] += 0.9
    assert not is_due(made)
    assert made.made() is None
    assert not is_due(made)
    clock[0] += 0.2
    assert is_due(made), "the last commit went without"
    clock[1] = 0.5
    assert made.made() is not None
    clock[0] += 24.9
    assert made.made() is None
    version[0] = "two"
    other = made.made()
    assert other is not None
    assert read(other).settings != read(first).settings
    clock[0] += 25.1
    assert not is_due(made)
    assert made.made() is not None


def test_sizes_are_added_and_the_oldest_cut_points_told() -> None:
    older = replace(ONE.models[0], cuts=replace(CUTS, minute=99, frequency=[1, 2]))
    both = summed([ONE, Overview({"vip": 2, "new": 0}, [older])])
    assert both.tags == {"vip": 5, "new": 1}
    [model] = both.models
    assert (model.customers, model.money) == ([[2, 0], [4, 6]], [[20, 0], [40, 60]])
    assert model.segments == [("a", 8, 100), ("b", 4, 20)]
    assert model.cuts == older.cuts
    none = replace(ONE.models[0], cuts=None)
    assert summed([ONE, replace(ONE, models=[none])]).models[0].cuts is None
