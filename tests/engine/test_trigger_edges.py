"""Triggers where modes, lateness and other rules meet (D1, D3 to D5, T5)."""

from __future__ import annotations

from typing import Any

import pytest

from rules.error import RuleError
from tests.engine.story import ORDER, TEN, Story, shop_of
from tests.laws.run import Run
from tests.laws.world import IMPORT, LIVE, batch_of, partition_of, split

BROWSED = {"when": {"absence": {"after": {"source": "carts"}, "of": {"source": "orders"}, "within": "8m"}}}


@pytest.mark.parametrize("trigger", [{**ORDER, "for": "5m"}, BROWSED])
def test_what_falls_due_among_history_minutes_decides_nothing(trigger: dict[str, Any]) -> None:
    """T5: decisions exist in live mode only, also those that a wait or an absence had begun."""
    story = Story(trigger)
    story.at(0).row("orders" if "for" in trigger else "carts", 1, 1)
    story.at(1).mode = IMPORT
    story.writer.row("views", 1, 2)
    story.writer.mode = LIVE
    story.writer.minute = story.start + 30
    story.writer.tick()
    assert story.told(40) == []


def test_a_late_insert_stays_late_while_it_waits() -> None:
    """D4: the age is that of the occasion; the length of for is no age."""
    story = Story({**ORDER, "for": "5m", "guards": {"max_age": "1h"}})
    story.at(130).row("orders", 1, 1, event=TEN + 10)
    story.at(140).row("orders", 2, 2, event=TEN + 90)
    assert story.told(150) == [(135, "late"), (145, "act")]


def test_a_row_of_b_contradicts_however_late_it_comes() -> None:
    """D3: also when no metric keeps the row any more."""
    story = Story(BROWSED)
    story.at(0).row("carts", 1, 1)
    story.at(200).row("orders", 1, 1, event=TEN + 3)
    assert story.told(210) == [(9, "act"), (200, "contradicted")]


def test_a_row_that_its_source_leaves_out_is_no_event() -> None:
    """D1: what ``where`` of a source refuses is not kept and sets off nothing."""
    shop = shop_of(ORDER).shop.model_dump(by_alias=True)
    shop["sources"]["orders"]["where"] = "amount > 10"
    story = Story(ORDER, sources=shop["sources"])
    story.at(0).row("orders", 1, 1, amount=5)
    story.at(1).row("orders", 2, 1, amount=50)
    assert story.told(5) == [(1, "act")]


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (
            {"absence": {"after": {"source": "carts", "operations": ["update"]}, "of": {"source": "orders"},
                         "within": "1h"}},
            "rows that are inserted",
        ),
        ({"event": {"source": "orders", "operations": ["delete"], "where": "amount > 1"}}, "no columns"),
    ],
)  # fmt: skip
def test_what_could_never_do_what_it_says_is_refused(when: dict[str, Any], told: str) -> None:
    """D1."""
    with pytest.raises(RuleError, match=told):
        shop_of({"when": when})


def test_history_or_live_does_not_hang_on_partitions_or_batches() -> None:
    """L1, L4, T5: an import row beside a live one makes the gap behind it history, at P = 1 and 2 alike."""
    story = Story(
        {"when": {"leave": "seen2"}}, tags={"seen2": {"name": "seen2", "rule": 'count(views, "2m") >= 1'}}
    )
    one = next(i for i in range(1, 99) if partition_of(i, 2) == 0)
    other = next(i for i in range(1, 99) if partition_of(i, 2) == 1)
    story.writer.row("views", 1, one)
    story.writer.row("views", 2, other)
    story.writer.mode = IMPORT
    story.writer.row("carts", 1, other)
    story.writer.mode = LIVE
    story.writer.minute = story.start + 8
    story.writer.tick()
    log = story.writer.log
    together = [_modes(Run(story.shop, partitions).feed(log).to()) for partitions in (1, 2)]
    apart = Run(story.shop, 2)
    for last in (story.start, story.start + 8):
        for number, records in enumerate(split(log, 2)):
            some = [one for one in records if one.minute <= last][apart.engine.steps[number] :]
            apart.engine.feed(
                number,
                batch_of(story.shop, apart.engine.partitions[number], some),
                apart.engine.steps[number],
            )
            apart.engine.run(last if number else last - 1)
    assert together[0] == together[1] == _modes(apart.to())
    assert {mode for _, mode in together[0]} >= {"history"}


def _modes(run: Run) -> list[tuple[int, str]]:
    return sorted((one.minute, one.mode) for one in run.outcome.transitions)


@pytest.mark.parametrize("rules", [{}, {"kept": {"name": "kept", "rule": "count(orders) > 0"}}])
def test_an_absence_far_too_late_does_not_hang_on_what_other_rules_keep(rules: dict[str, Any]) -> None:
    """D1, P2: refused as late, whether or not a row of B has been kept."""
    story = Story(BROWSED, tags=rules)
    story.at(0).row("orders", 1, 1)
    story.at(100).row("carts", 1, 1, event=TEN - 2)
    assert story.told(110) == [(100, "late")]
