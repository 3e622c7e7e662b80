"""A message that is late does not go in its customer's quiet hours, and goes at their very end (D5)."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, State
from sinks.deliveries.listing import Wanted, listed
from sinks.deliveries.quiet import Quiet
from sinks.deliveries.records import Acted
from sinks.deliveries.switches import ask
from sinks.deliveries.tables import FILE_NAME
from tests.sinks.dispatching import Clock, Fake, decided, dispatcher_of, route, states
from tests.sinks.test_pace import claims, dues, idle, live
from tests.sinks.test_quiet import ZONES, changes, is_quiet

NIGHT = (22 * 60, 8 * 60)


def utc(text: str) -> int:
    """Return the minute since 1970 of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


class Counting:
    """A ledger that counts the steps that are written to it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self.steps = ledger, list[Step]()

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    def write(self, steps: Sequence[Step]) -> Sequence[State | None]:
        self.steps += steps
        assert len(self.steps) < 9, "it goes round and round"
        return self._ledger.write(steps)


def minutes(dispatcher: Dispatcher, clock: Clock, first: int, end: int) -> None:
    """Look at what is due at the last moment of every minute and at its first."""
    for minute in range(first, end):
        for at in (minute * 60.0, minute * 60.0 + 59.999):
            clock.at = at
            idle(dispatcher)


BERLIN, SHANGHAI = "Europe/Berlin", "Asia/Shanghai"


@pytest.mark.parametrize(
    ("zone", "hours", "decided_at", "back", "goes"),
    [  # times in UTC; clocks in Berlin are changed on 03-29 and 10-25 at 01:00 UTC
        (BERLIN, NIGHT, "2026-03-27 20:50", "2026-03-27 21:10", "2026-03-28 07:00"),  # 22:10 there
        (BERLIN, NIGHT, "2026-03-28 20:50", "2026-03-28 21:10", "2026-03-29 06:00"),  # an hour less
        (BERLIN, NIGHT, "2026-03-29 19:50", "2026-03-29 20:10", "2026-03-30 06:00"),
        (BERLIN, NIGHT, "2026-10-24 19:50", "2026-10-24 20:10", "2026-10-25 07:00"),  # an hour more
        (BERLIN, NIGHT, "2026-10-25 20:50", "2026-10-25 21:10", "2026-10-26 07:00"),
        (BERLIN, (22 * 60, 150), "2026-03-28 20:50", "2026-03-28 22:00", "2026-03-29 01:00"),  # no 02:30
        (BERLIN, (60, 150), "2026-10-24 22:50", "2026-10-24 23:10", "2026-10-25 00:30"),
        (BERLIN, (60, 150), "2026-10-24 22:50", "2026-10-25 00:59", "2026-10-25 00:59"),  # 02:59, the first
        (BERLIN, (60, 150), "2026-10-24 22:50", "2026-10-25 01:00", "2026-10-25 01:30"),  # 02:00 again
        (SHANGHAI, NIGHT, "2026-03-28 13:50", "2026-03-28 14:00", "2026-03-29 00:00"),
        (SHANGHAI, NIGHT, "2026-10-24 13:50", "2026-10-24 13:59", "2026-10-24 13:59"),
        (SHANGHAI, NIGHT, "2026-10-24 13:50", "2026-10-24 23:59", "2026-10-25 00:00"),
    ],
)
def test_it_goes_at_the_end_of_quiet_hours_to_the_minute(
    ledger: Ledger, clock: Clock, zone: str, hours: tuple[int, int], decided_at: str, back: str, goes: str
) -> None:
    counting, begin = Counting(ledger), utc(back)
    way = route(quiet=Quiet(*hours, zone))
    ledger.take("channels", [(decided(1, minute=utc(decided_at)), way)], {0: 1})
    dispatcher = dispatcher_of(counting, {"sms": [Fake()]}, clock)  # type: ignore[arg-type]  # a Book
    minutes(dispatcher, clock, begin, utc(goes) + 2)
    assert claims(ledger) == [utc(goes) * 60]
    waited = [step for step in counting.steps if step.event is Event.PUT_OFF]
    assert len(waited) == int(back != goes)  # it is put off once, and not looked at until it is due


@pytest.mark.parametrize("zone", ZONES)
def test_nobody_is_written_to_at_night_whatever_makes_it_late(ledger: Ledger, zone: str) -> None:
    """Providers that are down, refuse or do not answer, around changes of clocks."""
    chance, now = random.Random(zone), [0.0]
    near = changes(zone, 2026) or [utc("2026-06-01 00:00")]
    hours: dict[int, Quiet] = {}

    def does(message: Message) -> Outcome:
        assert not is_quiet(hours[int(message.id, 16)], int(now[0] // 60)), (message.id, now[0])
        if chance.random() < 0.5:
            return Accepted(message.id)
        refused = Refused("retry", "E", "busy", chance.random() * 30_000)
        return refused if chance.random() < 0.5 else Unknown("lost")

    for number in range(30):
        first, end = chance.sample(range(0, 1440, 5), 2)
        quiet = Quiet(first, end, zone)
        minute = chance.choice(near) + chance.randint(-1500, 1500)
        while is_quiet(quiet, minute):  # the engine holds it until then
            minute += 1
        hours[number] = quiet
        way = route("transactional" if chance.random() < 0.5 else "marketing", lasts=4e5, quiet=quiet)
        ledger.take("channels", [(decided(number, minute=minute), way)], {0: number + 1})
    dispatcher = dispatcher_of(ledger, {"sms": [Fake(does)]}, lambda: now[0])
    while (due := ledger.next_due("sms", [0])) is not None:
        wake = dispatcher.lanes[0].wakes_at(now[0])  # the breaker may be open
        now[0] = max(now[0], due, wake if wake < float("inf") else 0.0)
        idle(dispatcher)
    assert len(claims(ledger)) > 30  # some more than once
    assert "sent" in set(states(ledger).values()) <= {"sent", "unknown", "expired"}


def late(ledger: Ledger, clock: Clock, fake: Fake, **more: object) -> Dispatcher:
    """Let a message of 21:50 be due in the night, at 22:10; quiet hours are UTC's."""
    drop, lasts = bool(more.pop("drop", False)), float(str(more.pop("lasts", 86400.0)))
    way = route(lasts=lasts, quiet=Quiet(*NIGHT, "UTC", drop))
    ledger.take("channels", [(decided(1, minute=utc("2026-06-01 21:50")), way)], {0: 1})
    clock.at = utc("2026-06-01 22:10") * 60.0
    return dispatcher_of(ledger, {"sms": [fake]}, clock, **more)  # type: ignore[arg-type]


def told_of(ledger: Ledger) -> tuple[str, str]:
    [one] = listed(ledger.connection, Wanted(), 9)
    return one.state, one.reason


def test_while_it_waits_it_is_queued_and_says_why(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    dispatcher = late(ledger, clock, fake)
    idle(dispatcher)
    assert told_of(ledger) == ("queued", "quiet hours until 08:00")
    assert [(due, expires) for _, _, due, expires in dues(ledger)] == [
        (utc("2026-06-02 08:00") * 60, utc("2026-06-02 21:50") * 60)  # its time to live goes on
    ]
    live(ledger, dispatcher, clock)
    assert clock.at == utc("2026-06-02 08:00") * 60
    assert len(fake.out) == 1


def test_where_quiet_hours_drop_it_is_held_back(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    idle(late(ledger, clock, fake, drop=True))
    assert told_of(ledger) == ("held back", "its turn came in quiet hours")
    assert fake.out == []
    assert ledger.rows("SELECT count(*) FROM ended") == [(1,)]  # the log is told, so that slots are free


@pytest.mark.parametrize(("more", "state"), [(0, "expired"), (1, "queued")])
def test_what_would_be_too_late_behind_the_night_expires_at_once(
    ledger: Ledger, clock: Clock, more: int, state: str
) -> None:
    lasts = (utc("2026-06-02 08:00") - utc("2026-06-01 21:50")) * 60 + more
    idle(late(ledger, clock, Fake(), lasts=lasts))
    found = told_of(ledger)
    assert found[0] == state
    if not more:
        assert found[1] == "quiet hours until 08:00: too late to be sent by then"


def test_what_is_revoked_is_not_put_off_and_nothing_is_prepared_for_what_is(
    ledger: Ledger, clock: Clock
) -> None:
    prepared: list[Queued] = []
    idle(late(ledger, clock, Fake(), prepare=lambda rows, _now: prepared.extend(rows)))
    assert prepared == []  # no coupon is claimed
    clock.at = utc("2026-06-02 07:59") * 60.0
    ask(ledger, "trigger/win_back", "off", "", clock.at)  # brings up what waits
    idle(dispatcher_of(ledger, {"sms": [Fake()]}, clock, revoked=lambda _: "switched off"))
    assert told_of(ledger) == ("held back", "switched off")


def test_what_has_no_quiet_hours_and_who_has_day_are_written_to_meanwhile(
    ledger: Ledger, clock: Clock
) -> None:
    fake = Fake()
    dispatcher = late(ledger, clock, fake)
    minute = utc("2026-06-01 21:50")
    made = [
        (decided(2, minute=minute), route("transactional")),
        (decided(3, minute=minute), route(quiet=Quiet(*NIGHT, "America/New_York"))),  # 18:10 there
        (decided(4, minute=minute), route()),
    ]
    ledger.take("channels", made, {0: 5})
    idle(dispatcher)
    assert [int(one, 16) for one in fake.out] == [2, 3, 4]


def test_a_retry_whose_time_comes_at_night_waits_for_the_morning(ledger: Ledger, clock: Clock) -> None:
    fake = Fake(lambda _: Refused("retry", "E", "busy", 1200.0))
    dispatcher = late(ledger, clock, fake)
    clock.at = utc("2026-06-01 21:50") * 60.0
    idle(dispatcher)  # refused until 22:10
    fake.does = lambda _: Accepted()
    live(ledger, dispatcher, clock)
    assert claims(ledger) == [utc("2026-06-01 21:50") * 60, utc("2026-06-02 08:00") * 60]


def test_a_pause_that_ends_at_night_lets_go_in_the_morning(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    dispatcher = late(ledger, clock, fake)
    ask(ledger, "", "paused", "", utc("2026-06-01 21:50") * 60.0)
    clock.at = utc("2026-06-01 23:00") * 60.0
    ask(ledger, "", "on", "", clock.at)
    live(ledger, dispatcher, clock)
    assert claims(ledger) == [utc("2026-06-02 08:00") * 60]


def test_what_is_sent_again_by_hand_at_night_goes_in_the_morning_however_short_it_lives(
    ledger: Ledger, clock: Clock
) -> None:
    fake = Fake()
    dispatcher = late(ledger, clock, fake, lasts=300.0)
    idle(dispatcher)
    assert told_of(ledger)[0] == "expired"
    ledger.do(Acted(f"{1:032x}", Event.RESEND, "a test", clock.at))
    live(ledger, dispatcher, clock)
    assert claims(ledger) == [utc("2026-06-02 08:00") * 60]


def test_a_ledger_that_knew_no_quiet_hours_is_taken_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.take("channels", [(decided(1, minute=100), route())], {0: 2})
    ledger.close()
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript("ALTER TABLE delivery DROP COLUMN quiet;")
    old.close()
    for _ in range(2):
        again = Ledger(tmp_path)
        again.take("channels", [(decided(2, minute=101), route(quiet=Quiet(*NIGHT, "UTC")))], {0: 3})
        found = [row.quiet for row in again.waiting("sms", [0], 1e9, 9)]
        again.close()
        assert found == [None, Quiet(*NIGHT, "UTC")]
