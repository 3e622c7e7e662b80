"""Two real shops' years: at random minutes the engine equals the recompute (the law; L2, L5).

The default run takes one minute of one year; TINTYPE_LONG=1 (`make test-long`) takes fifty of each.
"""

from __future__ import annotations

import os
import sys

import pytest

from app.inspect import held_at
from app.replay import new_engine
from app.shop import Shop
from engine.plan import build
from reference.compare import compare
from reference.history import History
from reference.minutes import random_minutes
from reference.pieces import Pieces
from reference.recompute import recompute_at
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from tests.truth.delivery import batch_of_frames, deliver_badly

LONG = os.environ.get("TINTYPE_LONG") == "1"


@pytest.mark.parametrize("shop_name", ["online_retail", "grocer"] if LONG else ["online_retail"])
def test_a_badly_delivered_year_equals_the_recompute(shop_name: str, request: pytest.FixtureRequest) -> None:
    """Shuffled and with 10 % duplicates: every metric, score, segment and tag, 0 differences (L2, W1, W6)."""
    shop, log = request.getfixturevalue(shop_name)
    minutes = 50 if LONG else 1
    compared, found = compare_years(shop, log, minutes, seed=20261123)
    told = f"{shop_name}: {minutes} minutes, {compared:,} values compared, {len(found)} differ"
    sys.stderr.write(told + "\n")
    assert compared > 100_000
    assert found == []


def compare_years(shop: Shop, log: Log, minutes: int, seed: int) -> tuple[int, list[str]]:
    """Deliver a log badly to a new engine, compare at random minutes; return values compared, differences."""
    rows = {name: read_rows(log, source) for name, source in shop.sources.items() if source.kind == "rows"}
    frames = deliver_badly(rows, seed)
    engine = new_engine(shop, build(shop), 1, lambda *_: None)
    batch = batch_of_frames(frames, engine)
    engine.feed(0, batch, 0)
    pieces = Pieces.of(shop, shop.triggers)
    history = History(pieces, frames, read_control(log, kinds=["manual"]), False)
    compared, found = 0, []
    for minute in sorted(random_minutes(int(batch.minute[0]), int(batch.minute[-1]), minutes, seed)):
        engine.run(minute)
        engine.advance(minute, 0)
        held = held_at(engine, pieces)
        compared += sum(frame.size for frame in held.values())
        found += [f"{minute} {one}" for one in compare(recompute_at(history, minute), held)]
    return compared, found
