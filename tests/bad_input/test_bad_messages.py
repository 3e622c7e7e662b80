"""Every bad message becomes one dead letter, with place, bytes, problem and hint; nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.load import load_shop
from app.shop import Shop
from streams.arrive import Arrivals
from streams.dead.letters import letters
from streams.log.log import Log
from streams.message import Message
from tests.bad_input.good import GOOD
from tests.bad_input.messages import MESSAGES, Bad
from tests.bad_input.shop import write_shop
from tests.bad_input.state import state_of

T = 29_540_000  # 2026-03-01 21:20 UTC
LONGEST_TOLD = 400  # characters of a problem or a hint: whoever reads them has one screen


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return load_shop(write_shop(tmp_path_factory.mktemp("shop")))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Log]:
    """A log that holds a good row of every source."""
    with Log.create(tmp_path_factory.mktemp("log"), "Bad", 2) as log:
        log.connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here
        (answer,) = Arrivals(log).take(shop, [(GOOD[:8], None)], T)
        assert answer.rejected == []
        yield log


@pytest.mark.parametrize("bad", MESSAGES, ids=[bad.what for bad in MESSAGES])
def test_a_bad_message_is_put_aside_and_nothing_else_happens(log: Log, shop: Shop, bad: Bad) -> None:
    before, known = state_of(log), {letter.id for letter in letters(log)}
    message = Message(bad.source, f"feed/0/{bad.what}", bad.value, bad.key)
    (answer,) = Arrivals(log).take(shop, [([message], None)], T)
    assert (answer.accepted, answer.counted, len(answer.rejected)) == (0, {}, 1)
    (one,) = [letter for letter in letters(log) if letter.id not in known]
    assert bad.problem in one.problem
    assert bad.hint in one.hint
    assert max(len(one.problem), len(one.hint)) <= LONGEST_TOLD
    assert (one.source, one.place, one.value, one.key) == (bad.source, message.place, bad.value, bad.key)
    assert state_of(log) == before


def test_the_good_messages_that_the_bad_ones_were_made_from_are_taken(shop: Shop, tmp_path: Path) -> None:
    with Log.create(tmp_path, "Bad", 1) as log:
        (answer,) = Arrivals(log).take(shop, [(GOOD, None)], T)
        assert (answer.rejected, answer.accepted) == ([], len(GOOD))


def test_of_a_message_with_many_rows_the_good_ones_are_taken_and_all_of_it_is_kept(
    shop: Shop, tmp_path: Path
) -> None:
    """Replayed when mended, the rows that were taken already are known."""
    rows = [{"id": key, "member": "M1", "at": "2026-03-01 10:00:00", "cost": cost}
            for key, cost in (("1", "5.00"), ("2", "x"), ("3", "7.00"))]  # fmt: skip
    body = {"data": rows, "database": "d", "table": "visits", "type": "INSERT", "isDdl": False}
    with Log.create(tmp_path, "Bad", 1) as log:
        message = Message("visits", "feed/0/1", json.dumps(body).encode())
        (answer,) = Arrivals(log).take(shop, [([message], None)], T)
        assert [one.problem for one in answer.rejected] == ["cost: 'x' is no number"]
        assert [letter.value for letter in letters(log)] == [message.value]
        assert len(log.connection.execute("SELECT * FROM row").fetchall()) == 2
