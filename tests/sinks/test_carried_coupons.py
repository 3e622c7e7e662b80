"""Codes of one ledger in another: none is given out twice, none is lost, and whose they are stays known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import sinks.coupons.carrying
from sinks.channels.provider import Accepted
from sinks.coupons.carrying import carried
from sinks.coupons.claims import Claims
from sinks.coupons.codes import codes_of, find, forget, load
from sinks.coupons.counts import standing
from sinks.coupons.pool import Pool
from sinks.coupons.records import CodesRedeemed
from sinks.coupons.redeeming import Redemption
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.logged import LedgerCopy
from sinks.deliveries.records import Taken, encoded
from tests.sinks.dispatching import START, decided, queue, route

POOL = Pool(per_customer=1, expires="30d")
CODES = [f"C{at}" for at in range(8)]


def claim(ledger: Ledger, limit: int) -> list[int]:
    """Claim codes for what waits; return the numbers."""
    rows = ledger.waiting("sms", [0], START, limit)
    Claims(ledger, {"spring": POOL}, lambda _: "spring", "UTC", lambda _: None).claim(rows, START)
    return [one.number for one in rows]


@pytest.fixture
def former(tmp_path: Path) -> Iterator[Ledger]:
    """Codes: C0 sent, C1 tried and waiting, C2 waiting, C3 unknown, C4 of who was erased, C5 redeemed by
    nobody, C6 and C7 free; by deliveries 1 to 5."""
    with closing(Ledger(tmp_path / "former")) as ledger:
        load(ledger, "spring", CODES, 1.0)
        load(ledger, "summer", ["C1"], 2.0)
        queue(ledger, [1, 2, 3, 4, 5])
        claim(ledger, 9)
        ends = {1: Event.ACCEPT, 2: Event.REFUSE, 4: Event.BREAK, 5: Event.ACCEPT}
        for number, end in ends.items():
            ledger.write([Step(number, Event.CLAIM, START, "sms/0")])
            outcome = Accepted(f"r{number}") if end is Event.ACCEPT else None
            ledger.write([Step(number, end, START, outcome=outcome, due=START)])
        told = [Redemption("spring", "C0", "o1", START, f"{2:032x}"), Redemption("spring", "C5", "o2", START)]
        ledger.do(CodesRedeemed(told))
        forget(ledger, f"{5:032x}")
        yield ledger


def taken_over(folder: Path, former: Ledger, before: Sequence[bytes] = ()) -> LedgerCopy:
    """Return another's ledger that was given them, twice."""
    copy = LedgerCopy(folder)
    messages = [*before, *map(encoded, carried(former.connection)), *map(encoded, carried(former.connection))]
    copy.follow(list(enumerate(messages)))
    return copy


def test_every_code_is_there_as_it_was(
    former: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks.coupons.carrying, "_TOGETHER", 3)
    with closing(taken_over(tmp_path / "new", former)) as new:
        places = "SELECT pool, code FROM coupon ORDER BY place"
        assert new.rows(places) == former.rows(places)
        for code in ("C0", "C4", "C5", "C6"):
            for was, one in zip(find(former, code), find(new, code), strict=True):
                assert one == replace(was, state=None), "of deliveries nothing is told here"
        for code in ("C1", "C3"):
            was, one = find(former, code, "spring")[0], find(new, code, "spring")[0]
            assert one == replace(was, decision=None, state=None, customer=None), "it may have been seen"
        assert find(new, "C2")[0].claimed is None, "nobody can have seen it"
        assert [one.code for one in codes_of(new, f"{1:032x}")] == ["C0"]
        assert find(new, "C0")[0].odd == ("by another customer",)
        before, behind = (standing(one, "spring", POOL, "UTC", START) for one in (former, new))
        assert behind == replace(before, claimed=before.claimed - 1, left=before.left + 1)
        assert new.rows("SELECT * FROM delivery") == []


def test_a_delivery_that_was_carried_over_keeps_its_code(former: Ledger, tmp_path: Path) -> None:
    """Whatever number it has there."""
    before = encoded([Taken([(decided(9), route()), *((decided(one), route()) for one in (4, 3, 2, 1))])])
    with closing(taken_over(tmp_path / "new", former, [before])) as new:
        held = "SELECT id, code, claimed, coupon.expires FROM coupon JOIN decision USING (number) ORDER BY 1"
        assert new.rows(held) == former.rows(held)
        assert new.rows("SELECT count(*) FROM delivery") == [(5,)]
        assert standing(new, "spring", POOL, "UTC", START).left == 2


def test_what_is_there_already_stays_and_codes_go_on_in_their_order(former: Ledger, tmp_path: Path) -> None:
    with closing(taken_over(tmp_path / "new", former)) as new:
        with closing(Ledger(tmp_path / "new")) as own:
            made = [decided(at, customer=f"{at % 10:032x}") for at in (21, 22, 23)]
            own.take("channels", [(one, route()) for one in made], {})
            claim(own, 9)
            held = "SELECT step, code FROM coupon JOIN (SELECT number, id step FROM decision) USING (number)"
            got = dict(own.rows(held))
            assert got[f"{22:032x}"] == "C2"
            assert got[f"{23:032x}"] == "C6"
            assert f"{21:032x}" not in got, "that customer has had one"
            stood = list(own.connection.iterdump())
        new.follow(list(enumerate(map(encoded, carried(former.connection)), start=new.next)))
        assert [one for one in new.connection.iterdump() if "position" not in one] == [
            one for one in stood if "position" not in one
        ]


def test_a_ledger_that_has_no_table_of_codes_has_none(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as connection:
        assert list(carried(connection)) == []
