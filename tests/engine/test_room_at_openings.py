"""State grows before a minute opens, not only before a row is taken."""

from __future__ import annotations

import pytest

from engine import memory
from tests.engine.story import ORDER, TEN, Story
from tests.laws.run import Run
from tests.laws.world import LIVE

ALL_NEW = 70


@pytest.mark.parametrize(
    "text", ['distinct(orders.amount, "day offset 1")', 'distinct(orders.amount, "10m offset 20m")']
)
def test_many_different_values_may_enter_at_one_minute(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """W5, M2: a whole day becomes yesterday at midnight; the table of values is large enough before."""
    monkeypatch.setattr(memory, "FIRST", memory.FIRST | {"distinct": 16})
    story = Story(ORDER, metrics={"m": text})
    for value in range(ALL_NEW):
        story.writer.row("orders", value, 1, amount=value)
    held = Run(story.shop).feed(story.writer.log).to()
    (partition,) = held.engine.partitions
    most = 0
    for minute in (TEN + 20, TEN + 14 * 60):
        while held.engine.clock < minute:
            held.engine.advance(min(minute, held.engine.clock + 10), LIVE)
        most = max(most, int(partition.memory.scalar("distinct_live")))
    assert most == ALL_NEW
