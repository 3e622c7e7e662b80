"""What a plan has no numbers for is refused."""

from __future__ import annotations

import pytest

from app.shop import Settings, Shop
from engine.plan import build
from engine.plan_metrics import MOST_SOURCES
from rules.error import RuleError
from streams.contract.source import EventTime, Reference, Source


def _shop(sources: int) -> Shop:
    one = Source(
        key=["id"], references=[Reference(type="member", column="m")], event_time=EventTime(column="at")
    )
    named = {f"s{i}": one for i in range(sources)}
    return Shop(
        settings=Settings(name="many"), sources=named, metrics={"last": f'count(s{sources - 1}, "1d")'}
    )


def test_more_sources_than_the_directory_has_numbers_for_are_refused() -> None:
    assert len(build(_shop(MOST_SOURCES)).metric.sources) == MOST_SOURCES
    with pytest.raises(RuleError, match=f"128 sources: {MOST_SOURCES} is the most"):
        build(_shop(MOST_SOURCES + 1))
