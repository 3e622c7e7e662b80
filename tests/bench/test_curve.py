"""How a cost grows with its cause, and the shop that grows."""

from __future__ import annotations

import pytest

from bench.curve import Curve, exponent
from bench.grown import grown_shop
from engine.plan import build

SIZES = (10, 30, 100, 1000)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_that_power(power: float) -> None:
    """Whatever the factor before it."""
    assert exponent(SIZES, [7 * size**power for size in SIZES]) == pytest.approx(power)


def test_a_curve_reaches_its_goal_up_to_linear() -> None:
    """One that doubles with its cause does, one that grows with its square does not."""
    linear = Curve("cost", "us", "customers", SIZES, [2.0 * size for size in SIZES]).row()
    square = Curve("cost", "us", "customers", SIZES, [2.0 * size**2 for size in SIZES]).row()
    below = Curve("cost", "us", "customers", SIZES, [2.0 + size / 100 for size in SIZES]).row()
    assert (linear["reached"], square["reached"], below["reached"]) == (True, False, True)
    assert linear["value"] == 2000.0
    assert "100.00 times for 100 times" in linear["against"]


def test_the_steepest_step_shows_what_a_fit_over_all_sizes_hides() -> None:
    """Flat at first and quadratic at the end: the fit says less than linear."""
    curve = Curve("cost", "us", "customers", (1, 10, 100, 1000, 2000), [1.0, 1.0, 1.0, 1.0, 4.0])
    assert curve.exponent < 1 < curve.steepest == pytest.approx(2.0)


@pytest.mark.parametrize(("metrics", "tags"), [(5, 5), (20, 200), (62, 20), (128, 20)])
def test_a_grown_shop_has_the_metrics_and_tags_asked_for(metrics: int, tags: int) -> None:
    """And rows are kept as long whatever the number: the longest window of each source is the same."""
    shop = grown_shop(metrics, tags)
    plan = build(shop)
    assert (len(shop.metrics), len(plan.declared), len(shop.tags)) == (metrics, metrics, tags)
    assert len(set(shop.metrics.values())) == metrics
    longest = dict.fromkeys(plan.metric.sources, 0)
    for name, window in plan.metric.windows:
        longest[name] = max(longest[name], window.offset + window.length)
    assert longest == {name: 1440 * (365 if name in ("orders", "refunds") else 90) for name in longest}
