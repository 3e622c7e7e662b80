"""A real year in partitions apart: cut points merged from their reports are those of the whole (R5, L4).

The default run takes one month; TINTYPE_LONG=1 (`make test-long`) takes the whole year.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from app.replay import new_engine
from app.shop import Shop
from engine.batch import Batch
from engine.cuts import Cuts, shown
from engine.engine import IMPORT, Engine
from engine.plan import build
from rfm.merge import merged
from rfm.report import Report
from streams.feed import batch_of
from streams.identity.partition import partitions_of
from streams.log.log import Log

MONTHS = [(2010, 12), *((2011, month) for month in range(1, 13))]
SAMPLE = MONTHS if os.environ.get("TINTYPE_LONG") == "1" else [(2011, 6)]


def begin_of(year: int, month: int) -> int:
    """Return the epoch minute at which a month begins."""
    return int(datetime(year + month // 13, (month - 1) % 12 + 1, 1, tzinfo=UTC).timestamp()) // 60


class Reports:
    """What one partition reports in some months, and the last report before each."""

    def __init__(self, months: list[range]) -> None:
        self.months = months
        self.minutes: list[int] = []
        self.reports: list[Report] = []

    def keep(self, _: int, minute: int, models: Mapping[str, Report]) -> None:
        beside = [not any(at in month for month in self.months) for at in (*self.minutes[-1:], minute)]
        if beside == [True, True]:  # only the last before a month is needed
            self.minutes.pop()
            self.reports.pop()
        self.minutes.append(minute)
        self.reports.append(models["rfm"])

    def at(self, minute: int) -> list[Report]:
        """Return the population at the opening of a minute; nothing before the first."""
        place = bisect_right(self.minutes, minute)
        return self.reports[place - 1 : place] if place else []


def fed(engine: Engine, log: Log, partition: int, partitions: int) -> Engine:
    """Queue the rows of the customers of a partition."""
    encode, width = engine.partitions[0].encode_texts, engine.plan.dimensions["row_values"]
    step = 0
    for block in log.blocks(0):
        batch = batch_of(block, engine.plan.projection, encode, lambda *_: -1, width)
        there = partitions_of(batch.customer_high, batch.customer_low, partitions)
        mine = np.flatnonzero((there == partition) & (batch.kind == 0))
        part = Batch(*[array[mine] for array in batch.arrays])
        engine.feed(0, part, step)
        step += len(part)
    return engine


def reported(shop: Shop, log: Log, partitions: int, months: list[range], last: int) -> list[Reports]:
    """Return what each of so many partitions reports up to a minute."""
    found = [Reports(months) for _ in range(partitions)]
    for number, reports in enumerate(found):
        engine = new_engine(shop, build(shop), 1, lambda *_: None, apart=True)
        assert engine.apart is not None
        engine.apart.report = reports.keep
        fed(engine, log, number, partitions).run(last)
        engine.advance(last, IMPORT)
    return found


def cuts_of_whole(shop: Shop, log: Log, minutes: Iterable[int]) -> dict[int, Cuts]:
    """Return the cut points that one engine takes at some minutes, where it takes any."""
    engine = fed(new_engine(shop, build(shop), 1, lambda *_: None), log, 0, 1)
    found = {}
    for minute in minutes:
        engine.run(minute - 1)
        engine.advance(minute - 1, IMPORT)
        engine.run(minute)
        engine.advance(minute, IMPORT)
        taken = engine.cuts.get("rfm")
        if taken is not None and taken.minute == minute:
            found[minute] = taken
    return found


@pytest.mark.slow
@pytest.mark.data
def test_cut_points_merged_from_the_reports_of_4_and_16_partitions_are_those_of_the_whole(
    online_retail: tuple[Shop, Log],
) -> None:
    """At every minute of the months at which anybody's value changes: 0 differ."""
    shop, log = online_retail
    months = [range(begin_of(*month), begin_of(month[0], month[1] + 1)) for month in SAMPLE]
    last = max(month[-1] for month in months)
    by_number = {count: reported(shop, log, count, months, last) for count in (4, 16)}
    minutes = sorted(
        {m for r in by_number[4] for m in r.minutes if any(m in month for month in months)}
    )
    whole = cuts_of_whole(shop, log, minutes)
    assert len(whole) > 500
    for count, parts in by_number.items():
        differ = 0
        for minute, expected in whole.items():
            numbers = merged(shop.rfm[0], [one for part in parts for one in part.at(minute)])
            differ += shown(shop.rfm[0], minute, numbers) != expected
        told = f"online retail, {count} partitions: {len(whole):,} minutes, {differ} differ"
        sys.stderr.write(told + "\n")
        assert differ == 0
