"""Columns that are narrow until a value needs more: nothing shows of it from outside."""

from __future__ import annotations

import numpy as np
import pytest

from app.shop import Settings, Shop
from engine.batch import Batch
from engine.engine import Engine
from engine.plan import build
from engine.readout import metric_series
from engine.state import WHOLE_KEY
from streams.contract.source import Column, EventTime, Reference, Source

MINUTE = 29_000_000
AMOUNTS = [5, 2**31 - 1, -(2**31), 2**31, -(2**40), 7]


def new_engine(**more: str) -> Engine:
    """Return an engine with one source and two metrics over all time, and ``more``."""
    orders = Source(
        key=["id"],
        references=[Reference(type="member", column="member")],
        event_time=EventTime(column="at"),
        columns={"amount": Column(type="int")},
    )
    metrics = {"total": 'sum(orders.amount, "all")', "last": 'last(orders.amount, "all")'}
    metrics |= more
    shop = Shop(settings=Settings(name="wide"), sources={"orders": orders}, metrics=metrics)
    return Engine(build(shop), 1, lambda _number, _effects: None, lambda _trigger, _clock, _last: 0)


def orders_of(amounts: list[int], key_high: list[int]) -> Batch:
    batch = Batch.zeros(len(amounts), 1)
    batch.op[:], batch.minute[:] = 1, MINUTE
    batch.key_high[:], batch.key_low[:] = key_high, 9
    batch.key_low[np.array(key_high) == WHOLE_KEY] = np.flatnonzero(np.array(key_high) == WHOLE_KEY)
    batch.offset[:] = np.arange(1, len(amounts) + 1)
    batch.event_us[:] = MINUTE * 60_000_000 + np.arange(len(amounts))
    batch.values[:, 0] = amounts
    return batch


def read(engine: Engine, name: str) -> int:
    series = metric_series(engine.partitions[0], engine.plan.declared[name][0])
    return int(series.iloc[0])


def test_values_beyond_32_bits_are_kept_beside_those_before_them() -> None:
    """M1: a value is a whole number of 64 bits, whatever came before it."""
    engine = new_engine()
    batch = orders_of(AMOUNTS, [WHOLE_KEY] * len(AMOUNTS))
    for first in range(len(AMOUNTS)):
        engine.feed(0, batch.slice(first, first + 1), first)
        engine.run()
        assert read(engine, "total") == sum(AMOUNTS[: first + 1])
        assert read(engine, "last") == AMOUNTS[first]
    assert engine.partitions[0].memory.capacity["wide_values"] == 1


def test_keys_with_the_same_low_half_stay_apart_when_the_first_high_half_comes() -> None:
    """W1: a key is 128 bits; one of which only the high half differs is another row."""
    engine = new_engine()
    highs = [WHOLE_KEY, WHOLE_KEY, 0, 5, -5, 5]
    batch = orders_of([1, 10, 100, 1_000, 10_000, 100_000], highs)
    batch.key_low[:] = [1, 9, 9, 9, 9, 9]  # the last is an update of the fourth
    engine.feed(0, batch, 0)
    engine.run()
    assert read(engine, "total") == 1 + 10 + 100 + 10_000 + 100_000
    assert engine.partitions[0].memory.capacity["wide_keys"] == 1


LONG = [1, 2**31 - 1, -1, -(2**31), 2**31, -(2**31) - 1, 2**40 + 1, 1 - 2**32]


def test_keys_that_share_their_low_32_bits_stay_apart_when_the_first_long_one_comes() -> None:
    """W1: whole-number keys have 64 bits; those before the first long one are still found."""
    engine = new_engine()
    for value in (1, 10):
        batch = orders_of([value] * len(LONG), [WHOLE_KEY] * len(LONG))
        batch.key_low[:] = LONG
        batch.offset[:] += 100 * value
        for first in range(len(LONG)):
            engine.feed(0, batch.slice(first, first + 1), engine.steps[0])
            engine.run()
        assert read(engine, "total") == value * len(LONG)
    memory = engine.partitions[0].memory
    assert (memory.scalar("entries_live"), memory.capacity["long_keys"]) == (len(LONG), 1)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ((0, 0, -5), (0, 0, 3)),
        ((0, 0, 5), (0, 0, 2**31)),
        ((0, 0, 2**32 + 1), (0, 0, 2**32 + 2)),
        ((0, 0, 2**32), (0, 0, 2**33)),
        ((0, 0, 7), (0, 1, 6)),
        ((0, 2**40, 7), (0, 2**40, 8)),
        ((0, 9, 7), (1, 1, 1)),
    ],
)
def test_positions_are_compared_whole_however_many_bits_were_kept_before(
    earlier: tuple[int, int, int], later: tuple[int, int, int]
) -> None:
    """W2: by epoch, then position, then offset; the earlier one after the later is ignored."""
    engine = new_engine()
    for value, (epoch, position, offset) in ((1, earlier), (10, later), (100, earlier)):
        batch = orders_of([value], [WHOLE_KEY])
        batch.epoch[:], batch.position[:], batch.offset[:] = epoch, position, offset
        engine.feed(0, batch, engine.steps[0])
        engine.run()
    assert (read(engine, "total"), engine.partitions[0].memory.scalar("duplicates")) == (10, 1)


def test_short_whole_number_keys_small_values_and_offsets_alone_stay_narrow() -> None:
    engine = new_engine()
    engine.feed(0, orders_of([1, 2, 3], [WHOLE_KEY] * 3), 0)
    engine.run()
    memory = engine.partitions[0].memory
    wide = ("wide_value", "entry_rest", "entry_high", "entry_position", "entry_epoch", "entry_offset_rest")
    assert [len(memory[name]) for name in wide] == [0] * len(wide)
