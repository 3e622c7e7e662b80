"""Turns at a pace follow from the ledger's records alone, and no stretch has more than the pace says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.outcome import Decision
from sinks.deliveries.delivery import Route, Way
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.pace import Pace
from sinks.deliveries.paces import Paces
from sinks.deliveries.quiet import Quiet
from tests.sinks.dispatching import MINUTE, START, Clock, Fake, decided, dispatcher_of, route, states
from tests.sinks.test_logged_ledger import Topic, dump, replayed
from tests.sinks.test_quiet import is_quiet

FAST = Pace(7, 60)
NIGHT = Quiet(22 * 60, 8 * 60, "Asia/Shanghai")
MORNING = Quiet(6 * 60, 13 * 60 + 30, "Europe/Berlin")
Taken = list[tuple[Decision, Way]]


def story(seed: int) -> Taken:
    """Return decisions of two triggers with paces and one without, of several minutes and zones."""
    chance, made = random.Random(seed), Taken()
    paces = {"spring": Pace(chance.choice([1, 7, 90]), chance.choice([60, 3600])), "autumn": FAST}
    minute = MINUTE
    for number in range(160):
        minute += chance.choice([0, 0, 0, 0, 1, 30])
        trigger = chance.choice(["spring", "spring", "autumn", "hello"])
        pace = paces.get(trigger)
        if pace is not None:
            pace = Pace(pace.most, pace.seconds, chance.choice([None, NIGHT, MORNING]))
        one = decided(number, trigger=trigger, minute=minute)
        made.append((one, route(pace=pace, lasts=chance.choice([300.0, 86400.0]))))
    return made


def taken_by(ledger: Ledger, made: Taken, chance: random.Random, fails: bool = False) -> None:
    """Take decisions in batches of any size, some of them twice; fails: and some break off in the middle."""
    at = 0
    while at < len(made):
        size = chance.randint(1, 40)
        batch = made[max(0, at - chance.randint(0, 3)) : at + size]
        if fails and chance.random() < 0.5:
            broken = replace(decided(9_999), outcome=object())  # type: ignore[arg-type]  # breaks off
            with pytest.raises(TypeError):
                ledger.take("channels", [*batch, (broken, route())], {0: at})
        ledger.take("channels", batch, {0: at + size})
        at += size


def dues(ledger: Ledger) -> list[tuple[str, float, float, float]]:
    """Return (trigger, decided, due, expires) in the order of taking."""
    return ledger.rows("SELECT trigger, decided, due, expires FROM delivery ORDER BY number")


def most_in(times: Sequence[float], seconds: float) -> int:
    """Count, one by one, the most of some times in any stretch that is shorter than so many seconds."""
    return max(sum(1 for other in times if at <= other < at + seconds - 1e-5) for at in times)


@pytest.mark.parametrize("seed", range(8))
def test_the_same_decisions_are_due_at_the_same_times_whatever_the_batches_and_the_crashes(
    tmp_path: Path, seed: int
) -> None:
    made, chance = story(seed), random.Random(seed)
    found = []
    for at in range(4):
        ledger = Ledger(tmp_path / str(at))
        taken_by(ledger, made, chance, fails=at % 2 == 1)
        found.append(dues(ledger))
        ledger.close()
    assert found[1:] == found[:1] * 3


@pytest.mark.parametrize("seed", range(4))
def test_a_ledger_made_anew_from_its_topic_has_the_same_turns(tmp_path: Path, seed: int) -> None:
    topic, chance = Topic(), random.Random(seed)
    own = LoggedLedger(tmp_path / "own", topic)
    taken_by(own, story(seed), chance)
    written = dump(own)
    own.close()
    assert replayed(tmp_path / "copy", topic.messages, chance) == written


@pytest.mark.parametrize("seed", range(8))
def test_no_stretch_has_more_turns_than_the_pace_says_and_none_is_in_quiet_hours(
    ledger: Ledger, seed: int
) -> None:
    made = story(seed)
    taken_by(ledger, made, random.Random(seed))
    found = dues(ledger)
    assert len(found) == len(made)
    for (one, way), (_, decided_at, due, expires) in zip(made, found, strict=True):
        assert isinstance(way, Route)
        assert expires == due + way.lasts
        if way.pace is None:
            assert due == decided_at == one.minute * 60
        elif way.pace.quiet is not None:
            assert not is_quiet(way.pace.quiet, int(due // 60))
    for trigger in ("spring", "autumn"):
        pace = next(way.pace for one, way in made if one.trigger == trigger and isinstance(way, Route))
        assert pace is not None
        times = [due for name, _, due, _ in found if name == trigger]
        assert most_in(times, pace.seconds) <= pace.most


def test_the_first_goes_at_once_and_the_others_evenly_behind(ledger: Ledger) -> None:
    ledger.take("channels", [(decided(at), route(pace=Pace(600, 60))) for at in range(1200)], {0: 1})
    assert [due - START for _, _, due, _ in dues(ledger)] == pytest.approx([at / 10 for at in range(1200)])
    later = [(decided(2000, minute=MINUTE + 1), route(pace=Pace(600, 60)))]
    ledger.take("channels", later, {0: 2})  # behind those that wait, though it is of another minute
    assert dues(ledger)[-1][2] == START + 120


def test_what_may_go_meanwhile_takes_the_place_of_what_waits_for_the_end_of_quiet_hours(
    ledger: Ledger,
) -> None:
    """Two zones: where it is night they wait, all others go on."""
    at = MINUTE + 20 * 60  # 18:20 UTC: 02:20 in Shanghai, 19:20 in Berlin
    day = Quiet(22 * 60, 8 * 60, "Europe/Berlin")
    made: Taken = [
        (decided(number, minute=at), route(pace=Pace(60, 60, NIGHT if number % 2 else day)))
        for number in range(6)
    ]
    ledger.take("channels", made, {0: 1})
    night = NIGHT.over_at(at)
    assert night is not None
    begin = [at * 60.0, night * 60.0]
    assert [due for _, _, due, _ in dues(ledger)] == [begin[n % 2] + n // 2 for n in range(6)]


def test_what_would_come_in_quiet_hours_that_drop_is_held_back(ledger: Ledger) -> None:
    drop = Pace(1, 3600, Quiet(22 * 60, 8 * 60, "UTC", drop=True))
    minute = MINUTE // 1440 * 1440 + 20 * 60  # 20:00
    ledger.take("channels", [(decided(at, minute=minute), route(pace=drop)) for at in range(4)], {0: 1})
    assert states(ledger) == {0: "queued", 1: "queued", 2: "held back", 3: "held back"}
    assert ledger.after(2, 1)[0].detail == "its turn came in quiet hours"
    assert ledger.rows("SELECT count(*) FROM ended") == [(2,)]  # the log is told, so that slots are free


def idle(dispatcher: Dispatcher) -> None:
    asyncio.run(dispatcher.run_until_idle())


def live(ledger: Ledger, dispatcher: Dispatcher, clock: Clock, until: float = float("inf")) -> None:
    """Let the clock run from one due time to the next."""
    idle(dispatcher)
    while (due := ledger.next_due("sms", [0])) is not None and due <= until:
        clock.at = max(clock.at, due)
        idle(dispatcher)


def claims(ledger: Ledger) -> list[float]:
    return [at for (at,) in ledger.rows("SELECT claimed FROM attempt ORDER BY claimed")]


def paced(ledger: Ledger, count: int, pace: Pace, lasts: float = 120.0) -> None:
    ledger.take("channels", [(decided(at), route(pace=pace, lasts=lasts)) for at in range(count)], {0: count})


def test_nothing_expires_because_it_had_to_wait_for_its_turn(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    paced(ledger, 100, Pace(10, 60))
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock, paces=Paces({"win_back": Pace(10, 60)}))
    live(ledger, dispatcher, clock)
    assert [int(one, 16) for one in fake.out] == list(range(100))
    assert most_in(claims(ledger), 60) == 10
    assert clock.at == START + 99 * 6


def test_what_an_outage_has_made_late_goes_on_at_the_pace(ledger: Ledger, clock: Clock) -> None:
    fake, pace = Fake(), Pace(10, 60)
    paced(ledger, 100, pace, lasts=3600.0)
    first = dispatcher_of(ledger, {"sms": [fake]}, clock, paces=Paces({"win_back": pace}))
    live(ledger, first, clock, START + 60)
    clock.at = START + 1000
    again = Paces({"win_back": pace})  # another process
    again.fill(ledger.claims_since(clock.at - again.longest))
    live(ledger, dispatcher_of(ledger, {"sms": [fake]}, clock, paces=again), clock)
    assert sorted(int(one, 16) for one in fake.out) == list(range(100))
    assert most_in(claims(ledger), 60) <= 10


def test_a_restart_remembers_what_has_gone_of_late(ledger: Ledger, clock: Clock) -> None:
    fake, pace = Fake(), Pace(10, 60)
    paced(ledger, 30, pace)
    clock.at = START + 110  # all but the last are late
    for _ in range(4):
        paces = Paces({"win_back": pace})
        paces.fill(ledger.claims_since(clock.at - paces.longest))
        idle(dispatcher_of(ledger, {"sms": [fake]}, clock, paces=paces))
        clock.at += 5
    assert len(fake.out) == 10


def test_what_is_late_waits_for_the_end_of_quiet_hours_too_and_lives_as_much_longer(
    ledger: Ledger, clock: Clock
) -> None:
    fake = Fake()
    pace = Pace(10, 60, Quiet(0, 12 * 60, "UTC"))
    minute = MINUTE // 1440 * 1440 + 1438  # two minutes before midnight
    ledger.take("channels", [(decided(1, minute=minute), route(pace=pace, lasts=300.0))], {0: 1})
    clock.at = minute * 60.0 + 180
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock)
    idle(dispatcher)
    assert fake.out == []
    [(_, _, due, expires)] = dues(ledger)
    assert due == (minute + 2 + 720) * 60
    assert expires == due + 120
    live(ledger, dispatcher, clock)
    assert len(fake.out) == 1
