"""Codes: loaded once, claimed by one decision, given back where nobody has seen them, redeemed and told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sinks.channels.message import HeldBack
from sinks.channels.outcome import Accepted
from sinks.coupons.claims import Claims
from sinks.coupons.codes import codes_of, find, forget, load, mask, problem_of
from sinks.coupons.counts import left, odd_redemptions, standing
from sinks.coupons.coupon import Coupon
from sinks.coupons.pool import Pool, is_over, last_minute
from sinks.coupons.reading import read_codes
from sinks.coupons.records import CodesRedeemed
from sinks.coupons.redeeming import Redemption
from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.logged import LoggedLedger
from sinks.topics.errors import Fenced
from streams.errors import InputError
from tests.sinks.dispatching import START, decided, queue, route
from tests.sinks.test_logged_ledger import Topic

POOL = Pool(value="满100减20", expires="30d", warn_below=2)
ENDS = 29_540_000 - 1280 + 31 * 1440 - 1  # the thirtieth day's last minute: it is claimed at 21:20 UTC
DAY = 86_400.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    load(made, "spring", ["A-1111", "A-2222", "A-3333"], 0.0)
    yield made
    made.close()


def claims_of(ledger: Ledger, pool: Pool = POOL, said: list[str] | None = None) -> Claims:
    told = said if said is not None else []
    return Claims(ledger, {"spring": pool}, lambda _: "spring", "UTC", told.append)


def waiting(ledger: Ledger, now: float = START) -> Sequence[Queued]:
    return ledger.waiting("sms", [0], now, 100)


def codes(claims: Claims, rows: Sequence[Queued], now: float = START) -> list[str]:
    """Claim for these; return each one's code, or why it has none."""
    claims.claim(rows, now)
    found = []
    for row in rows:
        try:
            coupon = claims.of(row)
            found.append(coupon.code if coupon else "")
        except HeldBack as reason:
            found.append(str(reason))
    return found


def test_codes_are_claimed_in_the_order_in_which_they_were_loaded_and_stay(ledger: Ledger) -> None:
    queue(ledger, [1, 2])
    rows = waiting(ledger)
    assert codes(claims_of(ledger), rows) == ["A-1111", "A-2222"]
    assert codes(claims_of(ledger), rows[::-1]) == ["A-2222", "A-1111"]  # as after a restart
    claims = claims_of(ledger)
    claims.claim(rows, START + DAY)
    assert claims.of(rows[0]) == Coupon("spring", "A-1111", ENDS)  # said at the first claim
    assert Coupon("spring", "A", ENDS).values({"spring": POOL}) == {
        "coupon": "A", "coupon_expires": ENDS, "coupon_value": "满100减20",
    }  # fmt: skip


def test_an_empty_pool_holds_back_and_is_told_once(ledger: Ledger) -> None:
    said: list[str] = []
    claims = claims_of(ledger, said=said)
    queue(ledger, [1, 2, 3, 4])
    rows = waiting(ledger)
    assert codes(claims, rows[:1]) == ["A-1111"]
    assert said == []
    assert codes(claims, rows[1:]) == ["A-2222", "A-3333", "no code is left in pool 'spring'"]
    assert codes(claims, rows[3:]) == ["no code is left in pool 'spring'"]
    assert [line[:39] for line in said] == ["coupons: pool 'spring' has 0 codes left"]
    load(ledger, "spring", ["A-4444", "A-5555", "A-6666"], 1.0)
    assert codes(claims, rows[3:]) == ["A-4444"]
    queue(ledger, [5])
    assert codes(claims, waiting(ledger)[4:]) == ["A-5555"]
    assert [line[:39] for line in said[1:]] == ["coupons: pool 'spring' has 1 codes left"]


def test_a_sender_that_was_fenced_off_claims_nothing_and_its_successor_the_same_code(tmp_path: Path) -> None:
    class Fencing(Topic):
        fenced = False

        def commit(self, message: bytes, *more: Any) -> int:
            if self.fenced:
                raise Fenced("another sender writes the ledger now")
            return super().commit(message, *more)

    topic = Fencing()
    with closing(LoggedLedger(tmp_path / "paused", topic)) as paused:
        load(paused, "spring", ["A-1111", "A-2222"], 0.0)
        queue(paused, [1])
        rows, before = waiting(paused), list(paused.connection.iterdump())
        topic.fenced = True
        with pytest.raises(Fenced):
            claims_of(paused).claim(rows, START)
        assert list(paused.connection.iterdump()) == before
    topic.fenced = False
    with closing(LoggedLedger(tmp_path / "successor", topic)) as successor:
        successor.follow(topic.messages)
        assert codes(claims_of(successor), waiting(successor)) == ["A-1111"]


@pytest.mark.parametrize("event", [Event.HOLD_BACK, Event.REVOKE, Event.TOO_LATE])
def test_a_code_that_nobody_can_have_seen_goes_back_and_is_the_next_one(ledger: Ledger, event: Event) -> None:
    queue(ledger, [1, 2])
    first, second = waiting(ledger)
    codes(claims_of(ledger), [first])
    ledger.write([Step(first.number, event, START)])
    assert codes(claims_of(ledger), [second]) == ["A-1111"]
    ledger.act_by_hand(first.decision.id, Event.RESEND, "again", START)
    assert codes(claims_of(ledger), [first]) == ["A-2222"]


@pytest.mark.parametrize("event", [Event.HOLD_BACK, Event.REVOKE, Event.TOO_LATE])
def test_a_code_that_a_provider_was_given_stays_the_decisions(ledger: Ledger, event: Event) -> None:
    queue(ledger, [1, 2])
    first, second = waiting(ledger)
    codes(claims_of(ledger), [first])
    steps = [Event.CLAIM, Event.REFUSE, event]
    ledger.write([Step(first.number, one, START, "sms/0") for one in steps])
    assert codes(claims_of(ledger), [second]) == ["A-2222"]
    ledger.act_by_hand(first.decision.id, Event.RESEND, "again", START)
    assert codes(claims_of(ledger), waiting(ledger)[:1], START + DAY) == ["A-1111"]


def test_a_customer_gets_so_many_codes_of_a_pool_and_no_more(ledger: Ledger) -> None:
    taken = [(decided(at, customer=f"{at % 2:032x}"), route()) for at in range(4)]
    ledger.take("channels", taken, {0: 4})
    found = codes(claims_of(ledger, Pool(per_customer=1)), waiting(ledger))
    assert found == ["A-1111", "A-2222", *["the customer has had 1 codes of pool 'spring'"] * 2]


def test_codes_of_a_last_day_are_good_to_its_end_in_the_shops_zone(ledger: Ledger) -> None:
    end = last_minute("2026-03-01", START, "Asia/Shanghai")
    assert end == last_minute("2026-03-01", 0.0, "Asia/Shanghai") == (1772380800 // 60) - 1
    assert not is_over("2026-03-01", 1772380799.0, "Asia/Shanghai")
    assert is_over("2026-03-01", 1772380800.0, "Asia/Shanghai")
    assert not is_over("1d", 9e9, "UTC")
    pool = Pool(expires="2026-03-01")
    queue(ledger, [1])
    found = codes(claims_of(ledger, pool), waiting(ledger), 1772409600.0)
    assert found == ["the codes of pool 'spring' were good until 2026-03-01"]
    assert left(ledger, "spring", pool, "UTC", 1772409600.0) == 0
    assert standing(ledger, "spring", pool, "UTC", 1772409600.0).expired == 3


@pytest.mark.parametrize("text", ["30", "0d", "2026-13-01", "2026-02-30", "1w"])
def test_an_end_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a day nor a number of days"):
        Pool(expires=text)


def test_the_same_codes_again_load_nothing(ledger: Ledger) -> None:
    again = load(ledger, "spring", ["A-1111", "A-9999"], 1.0)
    assert (again.loaded, again.known) == (1, 1)
    assert load(ledger, "summer", ["A-1111"], 1.0).loaded == 1  # another pool is another matter
    assert [one.pool for one in find(ledger, "A-1111")] == ["spring", "summer"]
    assert [one.pool for one in find(ledger, "A-1111", "summer")] == ["summer"]


@pytest.mark.parametrize(
    ("code", "problem"),
    [("", "is empty"), ("a" * 101, "has 101 characters, 100 are the most"), ("a b", "holds a blank"),
     ("a\u200b", "holds a character that cannot be seen"), ("a/b", "holds a '/'"), ("新春-1", None)],
)  # fmt: skip
def test_what_is_wrong_with_a_code(code: str, problem: str | None) -> None:
    assert problem_of(code) == problem


def told(ledger: Ledger, *redemptions: Redemption) -> list[str]:
    return list(ledger.do(CodesRedeemed(redemptions))[0])


def test_redemptions_are_told_once_and_what_is_odd_is_said(ledger: Ledger) -> None:
    queue(ledger, [1, 2])
    codes(claims_of(ledger), waiting(ledger))
    mine, other = f"{1:032x}", f"{2:032x}"
    first = Redemption("spring", "A-1111", "orders 1", START, mine)
    assert told(ledger, first, first) == ["", ""]
    assert told(ledger, Redemption("spring", "A-1111", "orders 2", START, mine)) == ["again"]
    late = Redemption("spring", "A-2222", "orders 3", (ENDS + 1) * 60.0, other)
    assert told(ledger, late) == ["after its end"]
    assert told(ledger, Redemption("spring", "B", "orders 4", START)) == ["unknown"]
    assert told(ledger, Redemption("spring", "A-3333", "orders 5", START)) == ["never claimed"]
    assert codes(claims_of(ledger), waiting(ledger)) == ["A-1111", "A-2222"]
    queue(ledger, [3])
    assert codes(claims_of(ledger), waiting(ledger)[2:]) == ["no code is left in pool 'spring'"]
    found = standing(ledger, "spring", POOL, "UTC", START)
    assert (found.loaded, found.left, found.claimed, found.redeemed) == (3, 0, 2, 3)
    assert found.odd == {"after its end": 1, "again": 1, "never claimed": 1}
    assert {one.code for one in odd_redemptions(ledger, "spring", 9)} == {mask("A-1111"), "…2", "…3"}


def test_a_code_redeemed_by_another_customer_is_told(ledger: Ledger) -> None:
    queue(ledger, [1])
    codes(claims_of(ledger), waiting(ledger))
    assert told(ledger, Redemption("spring", "A-1111", "o", START, f"{2:032x}")) == ["by another customer"]
    assert find(ledger, "A-1111")[0].odd == ("by another customer",)


def test_a_claimed_code_that_is_redeemed_before_it_is_held_back_stays_used(ledger: Ledger) -> None:
    queue(ledger, [1])
    [row] = waiting(ledger)
    codes(claims_of(ledger), [row])
    told(ledger, Redemption("spring", "A-1111", "o", START))
    ledger.write([Step(row.number, Event.HOLD_BACK, START)])
    assert left(ledger, "spring", POOL, "UTC", START) == 2


def test_counts_tell_sent_from_claimed_and_what_is_over(ledger: Ledger) -> None:
    queue(ledger, [1, 2])
    rows = waiting(ledger)
    codes(claims_of(ledger), rows)
    ledger.write([Step(rows[0].number, Event.CLAIM, START, "sms/0")])
    ledger.write([Step(rows[0].number, Event.ACCEPT, START, outcome=Accepted("r"))])
    found = standing(ledger, "spring", POOL, "UTC", START)
    assert (found.loaded, found.left, found.claimed, found.sent, found.expired) == (3, 1, 2, 1, 0)
    assert standing(ledger, "spring", POOL, "UTC", START + 40 * DAY).expired == 2


def test_an_erased_customers_code_is_nobodys_and_stays_used(ledger: Ledger) -> None:
    queue(ledger, [1])
    [row] = waiting(ledger)
    codes(claims_of(ledger), [row])
    ledger.write([Step(row.number, Event.CLAIM, START, "sms/0")])
    ledger.write([Step(row.number, Event.ACCEPT, START, outcome=Accepted("r"))])
    mine = f"{1:032x}"
    told(ledger, Redemption("spring", "A-1111", "o", START, mine))
    assert [one.code for one in codes_of(ledger, mine)] == ["A-1111"]
    assert forget(ledger, mine) == 1
    [code] = find(ledger, "A-1111")
    assert (code.customer, code.decision, code.claimed, code.redeemed) == (None, None, START, START)
    assert ledger.rows("SELECT customer FROM redemption") == [(None,)]
    found = standing(ledger, "spring", POOL, "UTC", START)
    assert (found.left, found.claimed, found.sent, found.redeemed) == (2, 1, 1, 1)
    assert codes_of(ledger, mine) == []


def test_a_text_has_a_code_a_line_and_a_table_a_column(tmp_path: Path) -> None:
    text, table = tmp_path / "a.txt", tmp_path / "a.csv"
    text.write_text("A1\n\n  A2 \nA1\n", encoding="utf-8-sig")
    found, wrong = read_codes(text)
    assert ([one.code for one in found], wrong) == (["A1", "A2"], [])
    table.write_text("no,code,customer\n1,A1,member:M1\n2,A 2,\n", encoding="utf-8")
    found, wrong = read_codes(table)
    assert [(one.line, one.code, one.customer) for one in found] == [(2, "A1", "member:M1")]
    assert [(one.where, one.problem) for one in wrong] == [(f"{table}:3", "the code holds a blank")]
    assert [one.code for one in read_codes(table, "no")[0]] == ["1", "2"]
    with pytest.raises(InputError, match="column 'voucher' is missing"):
        read_codes(table, "voucher")
    with pytest.raises(InputError, match="there is no such file"):
        read_codes(tmp_path / "b.txt")
