"""A pause: what waits goes on waiting, and behind it at its pace; nobody gets two, nobody is lost."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused
from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.listing import Wanted, listed
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.pace import Pace
from sinks.deliveries.paces import Paces
from sinks.deliveries.pausing import covering, paused
from sinks.deliveries.quiet import Quiet
from sinks.deliveries.records import Acted
from sinks.deliveries.switches import ask, asked
from sinks.deliveries.tables import FILE_NAME
from tests.sinks.dispatching import MINUTE, START, Clock, Fake, decided, dispatcher_of, route, states
from tests.sinks.test_logged_ledger import Life, Topic, dump, opened, replayed
from tests.sinks.test_pace import claims, dues, idle, live, most_in, paced
from tests.sinks.test_quiet import is_quiet

PACE = Pace(10, 60)
ALL = ("", "channel/sms", "trigger/win_back")


class Room:
    """A dispatcher over a ledger whose switches it knows at once."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock, self.fake = ledger, clock, Fake()
        self.dispatcher = self.begin()

    def begin(self) -> Dispatcher:
        """Begin anew, as behind a crash."""
        paces = Paces({"win_back": PACE})
        paces.fill(self.ledger.claims_since(self.clock.at - paces.longest))
        return dispatcher_of(
            self.ledger, {"sms": [self.fake]}, self.clock, paces=paces, revoked=self._revoked
        )

    def _revoked(self, row: Queued) -> str | None:
        off = {one.what: one.off for one in asked(self.ledger)}
        return "switched off" if any(off.get(what) for what in ALL) else None

    def live(self, until: float = float("inf")) -> None:
        live(self.ledger, self.dispatcher, self.clock, until)
        self.clock.at = max(self.clock.at, until) if until < float("inf") else self.clock.at

    def turn(self, to: str, what: str = "trigger/win_back") -> None:
        ask(self.ledger, what, to, "a test", self.clock.at)  # type: ignore[arg-type]  # a position

    @property
    def out(self) -> list[int]:
        return [int(one, 16) for one in self.fake.out]


@pytest.fixture
def room(ledger: Ledger, clock: Clock) -> Room:
    return Room(ledger, clock)


@pytest.mark.parametrize("what", ALL)
def test_what_is_paused_waits_and_goes_on_at_its_pace(room: Room, what: str) -> None:
    paced(room.ledger, 60, PACE, lasts=90.0)
    room.live(START + 100)
    assert len(room.out) == 17
    room.turn("paused", what)
    assert asked(room.ledger) == []  # the log need not know: no decision follows from it
    room.live(START + 10_000)  # far longer than a message lives
    assert len(room.out) == 17
    assert set(states(room.ledger).values()) == {"sent", "queued"}
    assert room.ledger.expire(room.clock.at, 1000) == 0
    assert room.ledger.next_due("sms", [0]) is None
    room.turn("on", what)
    begun = room.clock.at
    idle(room.dispatcher)
    assert len(room.out) == 18  # not all at once
    room.live()
    assert room.out == list(range(60))
    assert most_in(claims(room.ledger), 60) == 10
    assert room.clock.at == begun + 42 * 6
    assert paused(room.ledger.connection) == {}


def test_a_short_pause_moves_all_that_waits_in_its_order(room: Room) -> None:
    paced(room.ledger, 60, PACE)
    room.live(START + 100)
    room.turn("paused")
    room.live(START + 130)  # others would be due behind it: they must not go before those that are late
    room.turn("on")
    room.live()
    assert room.out == list(range(60))
    assert room.clock.at == START + 130 + 42 * 6


def test_what_was_about_to_be_claimed_when_it_was_paused_goes_on_later(room: Room) -> None:
    paced(room.ledger, 1, PACE)
    room.turn("paused")
    room.ledger.write([Step(1, Event.CLAIM, START, "sms/0")])  # it was read before
    room.turn("on")
    room.ledger.write([Step(1, Event.REFUSE, START, outcome=Refused("retry", "", "later"), due=START)])
    room.live()
    assert room.out == [0]


def test_what_is_decided_meanwhile_waits_too_and_what_comes_back_does(room: Room) -> None:
    answers: list[Outcome] = [Refused("retry", "busy", "later", 5.0)]

    def busy(_: Message) -> Outcome:
        room.turn("paused")  # while it is on its way
        return answers.pop()

    room.fake.does = busy
    paced(room.ledger, 1, PACE)
    idle(room.dispatcher)
    room.ledger.take("channels", [(decided(7, minute=MINUTE + 1), route())], {0: 8})
    room.clock.at += 7200
    idle(room.dispatcher)
    assert room.out == []
    assert states(room.ledger) == {0: "queued", 7: "queued"}
    shown = listed(room.ledger.connection, Wanted(), 10)
    assert [(one.due, one.reason) for one in shown] == [(None, "paused: a test")] * 2
    room.fake.does = lambda _: Accepted()
    room.turn("on")
    room.live()
    assert sorted(room.out) == [0, 7]


def test_what_is_sent_again_by_hand_waits_while_it_is_paused(room: Room) -> None:
    paced(room.ledger, 1, PACE)
    room.turn("off")
    idle(room.dispatcher)
    assert states(room.ledger) == {0: "held back"}
    room.turn("on")
    room.turn("paused")
    room.ledger.do(Acted(f"{0:032x}", Event.RESEND, "a test", room.clock.at))
    idle(room.dispatcher)
    assert states(room.ledger) == {0: "queued"}
    room.turn("on")
    idle(room.dispatcher)
    assert room.out == [0]


def test_a_kill_amid_a_broadcast_holds_back_what_is_not_even_due(room: Room) -> None:
    paced(room.ledger, 60, PACE)
    room.live(START + 100)
    room.turn("off")
    idle(room.dispatcher)
    assert set(states(room.ledger).values()) == {"sent", "held back"}
    assert room.ledger.rows("SELECT count(*) FROM ended") == [(43,)]
    room.turn("on")
    room.live()
    assert len(room.out) == 17


def test_a_kill_amid_a_pause_holds_back_what_is_paused(room: Room) -> None:
    paced(room.ledger, 60, PACE)
    room.live(START + 100)
    room.turn("paused")
    room.turn("off")
    assert paused(room.ledger.connection) == {}
    idle(room.dispatcher)
    assert set(states(room.ledger).values()) == {"sent", "held back"}
    room.turn("on")
    room.live()
    assert len(room.out) == 17


def test_two_pauses_over_one_another_end_with_the_last(room: Room) -> None:
    paced(room.ledger, 30, PACE, lasts=100.0)
    room.turn("paused", "channel/sms")
    room.clock.at += 500
    room.turn("paused")
    room.clock.at += 500
    room.turn("on", "channel/sms")
    room.live()
    assert room.out == []
    room.clock.at += 500
    room.turn("on")
    room.live()
    assert room.out == list(range(30))


def test_another_triggers_messages_go_on(room: Room) -> None:
    paced(room.ledger, 300, PACE)
    room.turn("paused")
    room.ledger.take("channels", [(decided(900, trigger="other"), route())], {0: 901})
    room.clock.at += 60
    idle(room.dispatcher)
    assert room.out == [900]


def test_a_message_lives_behind_a_pause_as_long_as_it_had_to_live_before(room: Room) -> None:
    room.ledger.take("channels", [(decided(1), route(lasts=300.0))], {0: 2})
    room.clock.at = START + 200
    room.turn("paused")
    room.clock.at = START + 5000
    room.turn("on")
    assert [(due - START, expires - START) for _, _, due, expires in dues(room.ledger)] == [(0, 5100)]
    assert room.ledger.expire(START + 5099, 10) == 0
    assert room.ledger.expire(START + 5100, 10) == 1


@pytest.mark.parametrize("drop", [False, True])
def test_what_goes_on_in_quiet_hours_waits_for_their_end_or_is_held_back(room: Room, drop: bool) -> None:
    quiet = Quiet(0, 12 * 60, "UTC", drop)
    minute = MINUTE // 1440 * 1440 + 1430  # ten minutes before midnight
    pace = Pace(10, 60, quiet)
    way = route(pace=pace, lasts=600.0)
    room.ledger.take("channels", [(decided(at, minute=minute), way) for at in range(20)], {0: 20})
    room.clock.at = minute * 60.0
    room.turn("paused")
    room.clock.at += 3600.0  # in the night
    room.turn("on")
    for _, _, due, _ in [] if drop else dues(room.ledger):
        assert not is_quiet(quiet, int(due // 60))
    room.live()
    assert room.out == ([] if drop else list(range(20)))
    assert set(states(room.ledger).values()) == {"held back" if drop else "sent"}
    assert drop or most_in(claims(room.ledger), 60) == 10


@pytest.mark.parametrize("seed", range(6))
def test_paused_stopped_and_begun_anew_by_chance_nobody_gets_two_and_nobody_is_lost(
    room: Room, seed: int
) -> None:
    chance, made = random.Random(seed), 0
    for _ in range(40):
        does = chance.choice(["take", "pause", "on", "crash", "live", "live"])
        if does == "take":
            count = chance.randint(1, 30)
            minute = int(room.clock.at // 60)
            way = route(pace=PACE, lasts=chance.choice([60.0, 600.0]))
            batch = [(decided(made + at, minute=minute), way) for at in range(count)]
            room.ledger.take("channels", batch, {0: made + count})
            made += count
        elif does in ("pause", "on"):
            room.turn("paused" if does == "pause" else "on", chance.choice(ALL))
        elif does == "crash":
            room.ledger.recover(room.clock.at)
            room.dispatcher = room.begin()
        else:
            room.live(room.clock.at + chance.random() * 300)
    for what in ALL:
        room.turn("on", what)
    room.live()
    assert sorted(room.out) == list(range(made))
    assert most_in(claims(room.ledger), 60) <= 10


@pytest.mark.parametrize("seed", range(4))
def test_a_ledger_made_anew_from_its_topic_has_the_same_pauses(tmp_path: Path, seed: int) -> None:
    chance, topic = random.Random(seed), Topic()
    with opened(tmp_path / "own", topic) as own:
        life = PausedLife(own, chance)
        for _ in range(80):
            life.happen()
        written = dump(own)
    assert replayed(tmp_path / "copy", topic.messages, chance) == written


class PausedLife(Life):
    """Whatever can happen to a ledger, and pauses between."""

    def __init__(self, ledger: LoggedLedger, chance: random.Random) -> None:
        super().__init__(ledger, chance)
        self._mine, self._dice = ledger, chance

    def happen(self) -> None:
        super().happen()
        if self._dice.random() < 0.4:
            what, to = self._dice.choice(ALL), self._dice.choice(["on", "off", "paused", "paused"])
            ask(self._mine, what, to, "试", self._now)  # type: ignore[arg-type]  # a position


def test_a_pause_covers_what_it_names() -> None:
    assert covering({"channel/sms": ""}, "sms", "win_back") == "paused"
    assert covering({"channel/mail": "", "trigger/other": ""}, "sms", "win_back") is None
    assert covering({"": "fire"}, "sms", "win_back") == "paused: fire"


def test_a_ledger_that_knew_no_pace_and_no_pause_is_taken_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.take("channels", [(decided(at), route()) for at in range(3)], {0: 3})
    ledger.close()
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript(
        "DROP TABLE place; DROP TABLE pause; DROP INDEX delivery_due; DROP INDEX delivery_late;"
        "ALTER TABLE delivery DROP COLUMN pace; ALTER TABLE delivery DROP COLUMN paused;"
        "CREATE INDEX delivery_queue ON delivery (channel, turn, priority, due) WHERE state = 'queued';"
        "CREATE INDEX delivery_expires ON delivery (expires) WHERE state = 'queued'; PRAGMA user_version = 2;"
    )
    old.close()
    for _ in range(2):
        again = Ledger(tmp_path)
        assert [row.pace for row in again.waiting("sms", [0], START, 9)] == [None] * 3
        ask(again, "", "paused", "", START)
        assert again.waiting("sms", [0], START, 9) == []
        ask(again, "", "on", "", START)
        indexes = {name for (name,) in again.rows("SELECT name FROM sqlite_master WHERE type = 'index'")}
        again.close()
        assert {"delivery_due", "delivery_late"} <= indexes
        assert not {"delivery_queue", "delivery_expires"} & indexes
