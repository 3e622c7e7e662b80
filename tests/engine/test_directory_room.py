"""The row directory and its hash table grow, each when it is full; every key is found afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from engine import memory
from engine.state import WHOLE_KEY
from tests.engine.test_widening import MINUTE, new_engine, orders_of, read

KEYS = 300


@pytest.mark.parametrize("first", [16, 64, 1024])
def test_every_key_is_found_however_often_the_directory_has_grown(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W1: a key that comes again is the same row, before and after growth."""
    monkeypatch.setattr(memory, "FIRST", memory.FIRST | {"entry": first})
    engine = new_engine()
    for value in (1, 2):
        batch = orders_of([value] * KEYS, [WHOLE_KEY] * KEYS)
        batch.offset[:] += value * KEYS
        engine.feed(0, batch, engine.steps[0])
        engine.run()
        assert read(engine, "total") == value * KEYS
    held = engine.partitions[0].memory
    assert held.scalar("entries_live") == KEYS
    assert KEYS <= held.capacity["entry_slot"] * 7 / 8 < 2 * KEYS or first == 1024


def test_entries_beyond_their_horizon_make_room_before_anything_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """W3: a deleted row's entry is forgotten after seven days, and its place is used again."""
    monkeypatch.setattr(memory, "FIRST", memory.FIRST | {"entry": 64})
    engine = new_engine()
    for round_ in range(20):
        batch = orders_of([1] * 40, [WHOLE_KEY] * 40)
        batch.key_low[:] = np.arange(40) + 40 * round_
        gone = orders_of([1] * 40, [WHOLE_KEY] * 40)
        gone.key_low[:], gone.op[:] = batch.key_low, 3
        gone.offset[:] += 40
        for one in (batch, gone):
            one.minute[:] = MINUTE + 8 * 1440 * round_
            one.mode[:] = 0
            engine.feed(0, one, engine.steps[0])
            engine.run()
    held = engine.partitions[0].memory
    assert read(engine, "total") == 0
    assert (held.capacity["entry"], held.capacity["entry_slot"]) == (64, 64)
