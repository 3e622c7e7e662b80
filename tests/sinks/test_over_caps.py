"""Caps hold at the moment of sending: what went out to a customer is counted once more (D5)."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.channels.settings import Limit
from sinks.deliveries.capped import Capped
from sinks.deliveries.delivery import Queued, Route, Step
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.gone import Gone, gone_since
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.over_caps import Caps
from sinks.deliveries.quiet import Quiet
from sinks.deliveries.records import Acted
from sinks.deliveries.tables import FILE_NAME
from tests.sinks.dispatching import MINUTE, START, Clock, Fake, decided, dispatcher_of, route, states
from tests.sinks.test_in_quiet_hours import Counting, minutes
from tests.sinks.test_pace import claims, idle, live

DAY = 1440
DAILY = Capped("daily", 1, DAY)
WEEKLY = Capped("weekly", 2, 7 * DAY)
ANN, BOB = "a" * 32, "b" * 32


def put(ledger: Ledger, number: int, way: Route | None = None, customer: str = ANN, after: int = 0) -> None:
    """Queue a message, decided so many minutes after the beginning; without a way one under DAILY."""
    one = decided(number, customer=customer, minute=MINUTE + after)
    ledger.take("channels", [(one, way or route(caps=(DAILY,)))], {0: number + 1})


def sender(ledger: Ledger, clock: Clock, *fakes: Fake, **more: Any) -> Dispatcher:
    caps = Caps(partial(gone_since, ledger.rows))
    return dispatcher_of(ledger, {"sms": fakes or (Fake(),)}, clock, caps=caps, **more)


def told_of(ledger: Ledger, number: int) -> tuple[str, str]:
    [found] = ledger.rows(
        "SELECT state, reason FROM delivery JOIN decision USING (number) WHERE id = ?", (f"{number:032x}",)
    )
    return found


@pytest.mark.parametrize("caps", [(DAILY,), (DAILY, WEEKLY)])
def test_it_goes_in_the_minute_in_which_the_oldest_leaves_the_window(
    ledger: Ledger, clock: Clock, caps: tuple[Capped, ...]
) -> None:
    counting = Counting(ledger)
    dispatcher = sender(counting, clock)  # type: ignore[arg-type]  # a Book
    put(ledger, 1, route(caps=caps))
    clock.at = START + 59.0  # a message counts by the minute, as a decision does
    idle(dispatcher)
    put(ledger, 2, route(lasts=2 * 86400.0, caps=caps))
    idle(dispatcher)
    assert told_of(ledger, 2) == ("queued", "cap 'daily' (1 within 1d) is full until 2026-03-02 21:20 UTC")
    minutes(dispatcher, clock, MINUTE + DAY - 2, MINUTE + DAY + 1)
    assert claims(ledger) == [START + 59, START + 86400]
    assert [step.event for step in counting.steps].count(Event.PUT_OFF) == 1


def test_of_two_that_are_due_together_the_one_of_higher_priority_goes(ledger: Ledger, clock: Clock) -> None:
    put(ledger, 1)
    put(ledger, 2, Route("sms", "hi", "marketing", 5, 2 * 86400.0, caps=(DAILY,)))
    put(ledger, 3, customer=BOB)
    fake = Fake()
    idle(sender(ledger, clock, fake))
    assert [int(one, 16) for one in fake.out] == [2, 3]
    assert fake.batches == [2]  # they were looked at together
    assert states(ledger) == {1: "expired", 2: "sent", 3: "sent"}


def test_what_takes_no_slot_leaves_it_to_the_next(ledger: Ledger, clock: Clock) -> None:
    """The first of hers has no text, the second is over a limit of its template, and the third goes."""
    limits = {"sms/0": [Limit(most=1, within="1h", each="template")]}
    put(ledger, 1, customer=BOB)
    fake = Fake()
    dispatcher = sender(ledger, clock, fake, limits=limits)
    idle(dispatcher)
    held = decided(2, customer=ANN, values={"lacks": "name"})
    ledger.take("channels", [(held, route(caps=(DAILY,)))], {0: 3})
    put(ledger, 3)
    put(ledger, 4, Route("sms", "another", "marketing", 0, 86400.0, caps=(DAILY,)))
    idle(dispatcher)
    assert states(ledger) == {1: "sent", 2: "held back", 3: "queued", 4: "sent"}
    assert told_of(ledger, 3)[1] == "a limit is used up"


@pytest.mark.parametrize(
    ("outcome", "takes"),
    [(Accepted("r"), True), (Unknown("lost"), True), (Refused("give_up", "E", "no"), False),
     (Refused("retry", "E", "busy", 7200.0), False)],
)  # fmt: skip
def test_what_is_out_or_may_be_counts_and_what_was_refused_does_not(
    ledger: Ledger, clock: Clock, outcome: Outcome, takes: bool
) -> None:
    fake = Fake(lambda _: outcome)
    dispatcher = sender(ledger, clock, fake)
    put(ledger, 1)
    idle(dispatcher)
    fake.does = lambda _: Accepted("r2")
    clock.at = START + 3600
    put(ledger, 2, after=60)
    idle(sender(ledger, clock, fake))
    assert told_of(ledger, 2)[0] == ("queued" if takes else "sent")


def test_a_claim_whose_end_a_crash_has_taken_counts(ledger: Ledger, clock: Clock) -> None:
    put(ledger, 1)
    ledger.write([Step(1, Event.CLAIM, START, "sms/0")])
    put(ledger, 2, after=1)
    clock.at = START + 60
    idle(sender(ledger, clock))
    assert told_of(ledger, 2)[0] == "queued"
    ledger.recover(clock.at)
    clock.at = START + 86399
    idle(sender(ledger, clock))
    assert states(ledger) == {1: "unknown", 2: "queued"}


def test_a_receipt_of_failure_frees_it_and_one_that_comes_behind_takes_it_again(
    ledger: Ledger, clock: Clock
) -> None:
    put(ledger, 1)
    dispatcher = sender(ledger, clock)
    idle(dispatcher)
    for state, number, expected in (("failed", 2, "sent"), ("delivered", 3, "queued")):
        clock.at += 60
        ledger.receive("sms/0", [Receipt(f"ref {1:032x}", state, None)], clock.at)  # type: ignore[arg-type]
        if state == "failed":
            put(ledger, number, after=1)
        else:
            ledger.receive("sms/0", [Receipt(f"ref {2:032x}", "failed", None)], clock.at)
            put(ledger, number, after=2)
        idle(dispatcher)
        assert told_of(ledger, number)[0] == expected


def test_one_that_was_refused_counts_from_its_last_claim_on(ledger: Ledger, clock: Clock) -> None:
    fake = Fake(lambda _: Refused("retry", "E", "busy", 600.0))
    dispatcher = sender(ledger, clock, fake)
    put(ledger, 1)
    idle(dispatcher)
    fake.does = lambda _: Accepted("r")
    live(ledger, dispatcher, clock)
    [_, last] = claims(ledger)
    assert last >= START + 600
    put(ledger, 2, route(lasts=2 * 86400.0, caps=(DAILY,)), after=20)
    live(ledger, dispatcher, clock)
    assert claims(ledger)[-1] == last // 60 * 60 + 86400


@pytest.mark.parametrize(("more", "state"), [(0, "expired"), (1, "queued")])
def test_what_would_be_too_late_when_there_is_room_expires_at_once(
    ledger: Ledger, clock: Clock, more: int, state: str
) -> None:
    put(ledger, 1)
    dispatcher = sender(ledger, clock)
    idle(dispatcher)
    clock.at = START + 600
    put(ledger, 2, route(lasts=86400.0 - 600 + more, caps=(DAILY,)), after=10)
    idle(dispatcher)
    found = told_of(ledger, 2)
    assert found[0] == state
    if not more:
        assert found[1].endswith("is full until 2026-03-02 21:20 UTC: too late to be sent by then")
        assert ledger.rows("SELECT number FROM ended") == [(2,)]  # the log is told, so that slots are free


def test_each_cap_counts_what_it_stands_against_and_the_last_to_have_room_says_when(
    ledger: Ledger, clock: Clock
) -> None:
    fake = Fake()
    dispatcher = sender(ledger, clock, fake)

    def sent(number: int, *caps: Capped) -> bool:
        put(ledger, number, route(lasts=9e5, caps=caps), after=int(clock.at - START) // 60)
        idle(dispatcher)
        return told_of(ledger, number)[0] == "sent"

    assert sent(1, DAILY, WEEKLY)
    assert sent(2, WEEKLY)
    assert sent(3, Capped("mails", 1, DAY))
    assert not sent(4, WEEKLY)
    assert not sent(5, DAILY, WEEKLY)
    assert "'weekly' (2 within 7d) is full until 2026-03-08 21:20" in told_of(ledger, 5)[1]
    clock.at += 86400
    assert sent(6, DAILY)
    assert sent(7, Capped("weekly", 3, 7 * DAY))  # each by what stood against its own decision


def test_nothing_is_looked_up_where_no_cap_stands(ledger: Ledger, clock: Clock) -> None:
    asked: list[Sequence[str]] = []

    def gone(customers: Sequence[str], since: int) -> Gone:
        asked.append(customers)
        return {}

    put(ledger, 1, route())
    put(ledger, 2, route("transactional"))
    idle(dispatcher_of(ledger, {"sms": [Fake()]}, clock, caps=Caps(gone)))
    assert asked == []
    assert ledger.rows("SELECT * FROM gone") == []
    put(ledger, 3)
    put(ledger, 4, customer=BOB)
    idle(dispatcher_of(ledger, {"sms": [Fake()]}, clock, caps=Caps(gone)))
    assert asked == [[ANN, BOB]]  # once for all of them


def test_nothing_is_prepared_for_what_waits(ledger: Ledger, clock: Clock) -> None:
    prepared: list[Queued] = []
    put(ledger, 1)
    idle(sender(ledger, clock))
    put(ledger, 2, route(lasts=2 * 86400.0, caps=(DAILY,)))
    idle(sender(ledger, clock, prepare=lambda rows, _now: prepared.extend(rows)))
    assert prepared == []  # no coupon is claimed


def test_what_is_sent_again_by_hand_keeps_to_caps(ledger: Ledger, clock: Clock) -> None:
    put(ledger, 1)
    put(ledger, 2)
    dispatcher = sender(ledger, clock)
    idle(dispatcher)
    assert told_of(ledger, 2)[0] == "expired"
    clock.at = START + 7200
    ledger.do(Acted(f"{2:032x}", Event.RESEND, "a test", clock.at))
    live(ledger, dispatcher, clock)
    assert claims(ledger) == [START, START + 86400]


def test_behind_a_full_cap_quiet_hours_are_asked(ledger: Ledger, clock: Clock) -> None:
    night = Quiet(21 * 60, 22 * 60, "UTC")  # 21:20 is when the cap has room
    put(ledger, 1)
    dispatcher = sender(ledger, clock)
    idle(dispatcher)
    put(ledger, 2, route(lasts=2 * 86400.0, quiet=night, caps=(DAILY,)))
    clock.at = START + 3600
    live(ledger, dispatcher, clock)
    assert claims(ledger) == [START, START + 86400 + 40 * 60]


@pytest.mark.parametrize("seed", range(6))
def test_no_window_has_more_than_its_cap_whatever_makes_messages_late(
    ledger: Ledger, clock: Clock, seed: int
) -> None:
    """Two providers that refuse, lose and come back; two channels; counted one by one."""
    chance = random.Random(seed)
    caps = [Capped("hourly", 2, 60), Capped("daily", 5, DAY)]
    customers = [ANN, BOB, "c" * 32]
    out: dict[tuple[str, str], list[int]] = {}
    under: dict[str, tuple[str, tuple[Capped, ...]]] = {}

    def does(message: Message) -> Outcome:
        if chance.random() < 0.3:
            return Refused("retry", "E", "busy", chance.random() * 5000)
        if chance.random() < 0.1:
            return Refused("give_up", "E", "no")
        customer, standing = under[message.id]
        for cap in standing:
            out.setdefault((customer, cap.name), []).append(int(clock.at // 60))
        return Accepted(f"r{message.id}") if chance.random() < 0.8 else Unknown("lost")

    for number in range(1, 160):
        customer = chance.choice(customers)
        standing = tuple(chance.sample(caps, chance.randint(0, 2)))
        one = decided(number, customer=customer, minute=MINUTE + chance.randint(0, 3 * DAY))
        under[one.id] = customer, standing
        channel, priority = chance.choice(["sms", "mail"]), chance.randint(0, 2)
        way = Route(channel, "hi", "marketing", priority, 3e5, caps=standing)
        ledger.take("channels", [(one, way)], {0: number + 1})
    found = Caps(partial(gone_since, ledger.rows))
    fakes = {"sms": [Fake(does), Fake(does)], "mail": [Fake(does)]}
    dispatcher = dispatcher_of(ledger, fakes, clock, caps=found)
    for _ in range(5 * DAY // 7):
        clock.at += 7 * 60 + chance.random() * 60
        idle(dispatcher)
    assert sum(map(len, out.values())) > 60
    for (_, name), times in out.items():
        cap = next(one for one in caps if one.name == name)
        assert max(sum(at <= other < at + cap.minutes for other in times) for at in times) <= cap.most
    assert {"sent", "failed", "unknown"} <= set(Counter(states(ledger).values()))


def test_a_ledger_that_knew_no_caps_is_taken_over(tmp_path: Path) -> None:
    """What it has sent is not counted."""
    ledger, clock = Ledger(tmp_path), Clock()
    put(ledger, 1)
    idle(sender(ledger, clock))
    ledger.close()
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript("ALTER TABLE delivery DROP COLUMN caps; DROP TABLE gone;")
    old.close()
    for number, state in ((2, "sent"), (3, "expired")):
        again = Ledger(tmp_path)
        put(again, number)
        idle(sender(again, clock))
        assert told_of(again, number)[0] == state
        again.close()
