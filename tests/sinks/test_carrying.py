"""A ledger carried over into another: what it says there is the same, and it gives nothing out any more."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.outcome import Decision
from sinks.channels.provider import Receipt
from sinks.deliveries.carrying import CARRIED, carried
from sinks.deliveries.delivery import Step
from sinks.deliveries.ended import ended
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, State
from sinks.deliveries.logged import LedgerCopy
from sinks.deliveries.pace import Pace
from sinks.deliveries.records import Carried, Clicked, Left, Received, Switched, Turned, encoded
from sinks.deliveries.shadow import acts_by_minute, shadow_of
from sinks.deliveries.shadowed import counted
from sinks.deliveries.switches import pauses
from tests.sinks.dispatching import MINUTE, START, decided, queue, route
from tests.sinks.test_logged_ledger import Life, Topic, opened

Rows = dict[str, list[tuple[Any, ...]]]


def same(one: Decision) -> Decision:
    return one


def moved(one: Decision) -> Decision:
    return replace(one, partition=3, step=7, seq=5)


def in_shadow() -> list[Decision]:
    """Return decisions of two versions in shadow: about few customers, in few minutes."""
    return [
        decided(
            one, status="shadow", customer=f"{one % 7:032x}", version="vw"[one % 5 == 0],
            minute=MINUTE + one % 3, **({"outcome": "refused", "guard": "cap"} if one % 4 == 0 else {}),
        )
        for one in range(40)
    ]  # fmt: skip


def rows(ledger: Ledger, only: str = "") -> Rows:
    """Return what is carried over. only: condition for decisions."""
    return {
        table: ledger.rows(f"SELECT * FROM {table} {only if table == 'decision' else ''} ORDER BY {order}")
        for table, order in CARRIED.items()
    }


def messages(ledger: Ledger, placed: Callable[[Decision], Decision] = same) -> list[bytes]:
    return [encoded([one]) for one in carried(ledger.connection, placed)]


def following(folder: Path, told: list[bytes]) -> LedgerCopy:
    copy = LedgerCopy(folder)
    copy.follow(list(enumerate(told)))
    return copy


@pytest.mark.parametrize("seed", range(8))
def test_every_row_is_the_same_there_and_twice_told_is_told_once(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever states there are, also which ends the log has yet to be told of; of decisions of which nothing
    was to be sent nobody asks."""
    monkeypatch.setattr("sinks.deliveries.carrying.ROWS", 3)
    chance = random.Random(seed)
    with opened(tmp_path / "former", Topic()) as ledger:
        life = Life(ledger, chance)
        paced = route(lasts=300.0, pace=Pace(2, 60))
        ledger.take("decisions", [(decided(9_000 + one), paced) for one in range(5)], {})
        for _ in range(90):
            life.happen()
        none = decided(8_001), "there is no channel"
        ledger.take("decisions", [(decided(8_000, outcome="refused"), None), none], {})
        asked, lost = decided(8_002), [Step(0, Event.CLAIM, START, "sms/0"), Step(0, Event.BREAK, START)]
        ledger.take("decisions", [(asked, route())], {})
        [(number,)] = ledger.rows("SELECT number FROM decision WHERE id = ?", (asked.id,))
        for step in lost:
            ledger.write([replace(step, number=number)])
        ledger.act_by_hand(asked.id, Event.SETTLE_FAILED, "问过", START)
        ledger.receive("sms/0", [Receipt("nobody's", "delivered", None, "", "")], START)
        ledger.do(Turned("channel/sms", "paused", "试", START), Clicked(2, START + 9.5))
        told = messages(ledger)
        wanted = rows(ledger, "WHERE number IN (SELECT number FROM delivery)")
        shadows = ("shadow_count", "shadow_minute", "shadow_customer")
        unused = ("answer", "gone", "coupon", "redemption", "linked", *shadows)
        assert {len(found) > 0 for table, found in wanted.items() if table not in unused} == {True}
        assert len(wanted["decision"]) < len(ledger.rows("SELECT number FROM decision"))
    copy = following(tmp_path / "new", told)
    assert rows(copy) == wanted
    copy.follow(list(enumerate(told, start=len(told))))
    assert rows(copy) == wanted
    copy.close()


def test_decisions_are_at_the_places_that_they_have_in_the_new_log(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "former")
    queue(ledger, [1, 2])
    ledger.take("channels", [(decided(4, outcome="refused"), None)], {})
    copy = following(tmp_path / "new", messages(ledger, moved))
    found = [one.decision for one in copy.after(0, 9)]
    assert found == [moved(decided(one)) for one in (1, 2)]
    assert copy.rows("SELECT DISTINCT partition, seq FROM decision") == [(3, 5)]
    ledger.close()
    copy.close()


def test_what_is_in_shadow_is_counted_on_whether_it_was_kept_or_counted(tmp_path: Path) -> None:
    """Chains of migrations come to the same."""
    made = in_shadow()
    ledger = Ledger(tmp_path / "former")
    ledger.take("channels", [(one, None) for one in made[:20]], {})
    ledger.take("channels", [], {}, counted(ledger.connection, made[20:]))
    wanted = shadow_of(ledger.connection, "win_back", ["v", "w"])
    minutes = Counter(one.minute for one in made if one.outcome == "act")
    for name in ("new", "newer"):
        copy = following(tmp_path / name, messages(ledger))
        assert shadow_of(copy.connection, "win_back", ["v", "w"]) == wanted
        assert Counter(dict(acts_by_minute(copy.connection, "win_back", ["v", "w"]))) == minutes
        assert copy.rows("SELECT number FROM decision") == []
        ledger.close()
        ledger = copy
    ledger.close()


def test_a_receipt_and_the_ends_find_what_was_sent_before(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "former")
    queue(ledger, [1, 2])
    ledger.take("channels", [(decided(3), "there is no channel")], {})
    for one in (1, 2):
        ledger.write([Step(one, Event.CLAIM, START, "sms/0"), Step(one, Event.BREAK, START + 1)])
    told = messages(ledger)
    copy = following(tmp_path / "new", told)
    assert [one.number for one in ended(copy, 9)] == [3]
    given = Receipt(decided(1).id, "delivered", None, "", "")
    Ledger.do(copy, Received("sms/0", [given], START + 9))
    assert copy.count(State.DELIVERED) == copy.count(State.UNKNOWN) == 1
    ledger.close()
    copy.close()


def test_a_ledger_that_was_left_gives_nothing_out_until_it_is_taken_back(tmp_path: Path) -> None:
    """Nothing gets too late there either, and what is decided later waits too."""
    ledger = Ledger(tmp_path)
    queue(ledger, [1, 2], route(lasts=60.0))
    assert len(ledger.waiting("sms", [0], START, 9)) == 2
    before = rows(ledger)
    ledger.do(Left("next", START))
    assert ledger.waiting("sms", [0], START + 99, 9) == []
    assert ledger.next_due("sms", [0]) is None
    assert ledger.expire(START + 999, 9) == 0
    assert rows(ledger) == before
    assert pauses(ledger) == {"": "what waits here is sent by next now"}
    queue(ledger, [3])
    ledger.do(Turned("channel/sms", "on", "", START))
    assert ledger.waiting("sms", [0], START + 99, 9) == []
    ledger.do(Switched("", False, "", START), Turned("", "on", "it stays here", START + 9))
    assert [one.number for one in ledger.waiting("sms", [0], START + 9, 9)] == [1, 2, 3]
    assert pauses(ledger) == {}
    ledger.close()


@pytest.mark.parametrize(
    "wrong", [Carried("position", ["topic"], [[1]]), Carried("pause", ["whom"], [["x"]])]
)
def test_what_is_no_table_of_this_release_stops_whoever_follows(wrong: Carried, tmp_path: Path) -> None:
    """A newer release has written it: nothing may be passed over."""
    copy = LedgerCopy(tmp_path)
    with pytest.raises(ValueError, match=wrong.table):
        copy.follow([(0, encoded([wrong]))])
    assert copy.next == 0
    copy.close()
