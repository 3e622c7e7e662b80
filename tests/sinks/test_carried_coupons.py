"""Codes of one ledger in another: none is given out twice, none is lost, and whose they are stays known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sinks.channels.outcome import Accepted
from sinks.coupons.claims import Claims
from sinks.coupons.codes import codes_of, find, forget, load
from sinks.coupons.counts import standing
from sinks.coupons.pool import Pool
from sinks.coupons.records import CodesRedeemed
from sinks.coupons.redeeming import Redemption
from sinks.deliveries.carrying import carried
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.logged import LedgerCopy
from sinks.deliveries.records import Left, encoded
from tests.sinks.dispatching import START, decided, queue, route

POOL = Pool(per_customer=1, expires="30d")
CODES = [f"C{at}" for at in range(8)]


def claim(ledger: Ledger) -> None:
    """Claim codes for what waits."""
    rows = ledger.waiting("sms", [0], START, 9)
    Claims(ledger, {"spring": POOL}, lambda _: "spring", "UTC", lambda _: None).claim(rows, START)


@pytest.fixture
def former(tmp_path: Path) -> Iterator[Ledger]:
    """Codes: C0 sent, C1 tried and waiting, C2 waiting, C3 unknown, C4 of who was erased, C5 redeemed by
    nobody, C6 and C7 free; by deliveries 1 to 5."""
    with closing(Ledger(tmp_path / "former")) as ledger:
        load(ledger, "spring", CODES, 1.0)
        load(ledger, "summer", ["C1"], 2.0)
        queue(ledger, [1, 2, 3, 4, 5])
        claim(ledger)
        ends = {1: Event.ACCEPT, 2: Event.REFUSE, 4: Event.BREAK, 5: Event.ACCEPT}
        for number, end in ends.items():
            ledger.write([Step(number, Event.CLAIM, START, "sms/0")])
            outcome = Accepted(f"r{number}") if end is Event.ACCEPT else None
            ledger.write([Step(number, end, START, outcome=outcome, due=START)])
        told = [Redemption("spring", "C0", "o1", START, f"{2:032x}"), Redemption("spring", "C5", "o2", START)]
        ledger.do(CodesRedeemed(told))
        forget(ledger, f"{5:032x}")
        ledger.do(Left("next", START))
        yield ledger


def taken_over(folder: Path, former: Ledger) -> LedgerCopy:
    """Return another's ledger that was given all, twice."""
    copy = LedgerCopy(folder)
    told = [encoded([one]) for one in carried(former.connection, lambda one: one)]
    copy.follow(list(enumerate([*told, *told])))
    return copy


def test_every_code_is_there_as_it_was(former: Ledger, tmp_path: Path) -> None:
    with closing(taken_over(tmp_path / "new", former)) as new:
        places = "SELECT pool, code FROM coupon ORDER BY place"
        assert new.rows(places) == former.rows(places)
        assert [find(new, code) for code in CODES] == [find(former, code) for code in CODES]
        assert [one.code for one in codes_of(new, f"{1:032x}")] == ["C0"]
        assert find(new, "C0")[0].odd == ("by another customer",)
        both = [standing(one, "spring", POOL, "UTC", START) for one in (former, new)]
        assert both[0] == both[1]
        assert (both[1].left, both[1].claimed, both[1].redeemed) == (2, 5, 2)


def test_codes_go_on_in_their_order_and_the_former_gives_none_out(former: Ledger, tmp_path: Path) -> None:
    """Who had one has had one; what waits keeps its own."""
    made = [(decided(at, customer=f"{at % 10:032x}"), route()) for at in (21, 26, 27, 28)]
    with closing(taken_over(tmp_path / "new", former)), closing(Ledger(tmp_path / "new")) as own:
        own.take("channels", made, {})
        claim(own)
        got = dict(own.rows("SELECT id, code FROM coupon JOIN decision USING (number)"))
        assert {int(id_, 16): code for id_, code in got.items()} == {
            1: "C0", 2: "C1", 3: "C2", 4: "C3", 26: "C6", 27: "C7",
        }  # fmt: skip
    former.take("channels", made, {})
    claim(former)
    assert former.rows("SELECT count(*) FROM coupon WHERE number > 5") == [(0,)]
