"""Records posted to the tables of a ledger: a function of the tables and the record, and of nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.outcome import Decision
from sinks.channels.provider import Receipt
from sinks.coupons.posting import post_codes
from sinks.deliveries import capped
from sinks.deliveries import pace as pacing
from sinks.deliveries import quiet as hours
from sinks.deliveries.answering import STATES, note_answer
from sinks.deliveries.by_hand import AGAIN, check_by_hand
from sinks.deliveries.carrying import post_carried
from sinks.deliveries.changes import note_changes
from sinks.deliveries.delivery import Route, Step, Way, Withheld
from sinks.deliveries.life import Event, Impossible, State, after
from sinks.deliveries.pace import Pace, Places, hours_of
from sinks.deliveries.pausing import covering, end, pause, pause_what_came_back, paused, resume
from sinks.deliveries.quiet import DROPPED
from sinks.deliveries.receipts import Receipts
from sinks.deliveries.records import (
    Acted,
    AnswersTold,
    ArrivalsTold,
    Carried,
    Clicked,
    ClicksTold,
    EndsTold,
    Left,
    Moved,
    Off,
    Reached,
    Received,
    Record,
    Recovered,
    Shadowed,
    Stepped,
    Switched,
    SwitchesTold,
    Taken,
    Turned,
)
from sinks.deliveries.shadowed import post_shadowed
from sinks.deliveries.steps import take_steps
from sinks.deliveries.tag_changes import note_tag_changes

_INSERT = (
    "INSERT INTO delivery (number, state, channel, trigger, template, purpose, priority, turn, decided, "
    "lasts, expires, due, attempts, parts, changed, reason, changes, pace, paused, quiet, "
    "caps) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, 0, ?, ?, 1, ?, ?, ?, ?)"
)
# What may be out goes again by the provider that had it, which may know its id.
_SAME = (
    "UPDATE delivery SET turn = ?1 WHERE state = 'queued' AND attempts > 0 AND EXISTS ("
    "SELECT 1 FROM attempt a WHERE a.number = delivery.number AND a.attempt = delivery.attempts "
    "AND a.outcome = 'unknown' AND a.provider = ?2)"
)
_REASON = "the process ended before it knew"


class Posting:
    """One ledger's; every call runs inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.receipts = Receipts(connection)
        self._places = Places(connection)

    def post(self, record: Record) -> Any:
        """Post a record; return how many deliveries were queued (Taken) or had been claimed (Recovered), the
        states behind steps, whose receipts are, or why an act by hand did nothing (an exception, or None).
        """
        match record:
            case Stepped(steps):
                return self._step(steps)
            case Taken(made):
                return sum(self._take(one, route) for one, route in made)
            case Moved(changes, minute):
                note_tag_changes(self._connection, changes, minute)
            case Reached(relay, drained):
                far = [(relay, partition, effects) for partition, effects in drained.items()]
                self._connection.executemany("INSERT OR REPLACE INTO drained VALUES (?, ?, ?)", far)
            case Received(provider, receipts, at, whom):
                known = whom if whom is not None else [None] * len(receipts)
                pairs = zip(receipts, known, strict=True)
                return [self._receive(provider, one, behind, at) for one, behind in pairs]
            case Recovered(at, places):
                return self._recover(at, places)
            case Acted():
                return self._act(record)
            case Switched(what, off, reason, at):
                query = "INSERT INTO switch (what, off, reason, at) VALUES (?, ?, ?, ?)"
                self._connection.execute(query, (what, off, reason, at))
            case Turned():
                self._turn(record)
            case SwitchesTold(number):
                self._connection.execute("DELETE FROM switch WHERE number <= ?", (number,))
            case EndsTold(numbers):
                ends = [(number,) for number in numbers]
                self._connection.executemany("DELETE FROM ended WHERE number = ?", ends)
            case ArrivalsTold(numbers):
                arrivals = [(number,) for number in numbers]
                self._connection.executemany("DELETE FROM arrived WHERE number = ?", arrivals)
            case Clicked(number, at):
                self._click(number, at)
            case ClicksTold(numbers):
                clicks = [(number,) for number in numbers]
                self._connection.executemany("UPDATE click SET told = 1 WHERE number = ?", clicks)
            case AnswersTold(ids):
                answers = [(one,) for one in ids]
                self._connection.executemany("UPDATE answer SET told = 1 WHERE id = ?", answers)
            case Shadowed():
                post_shadowed(self._connection, record)
            case Carried():
                post_carried(self._connection, record)
            case Left(to, at):
                self._connection.execute("INSERT OR REPLACE INTO left_to VALUES (1, ?, ?)", (to, at))
            case Off(names, reasons):
                rows = [(name, reasons.get(name, "")) for name in names]
                self._connection.execute("DELETE FROM off")
                self._connection.executemany("INSERT INTO off (what, reason) VALUES (?, ?)", rows)
            case _:
                return post_codes(self._connection, record)
        return None

    def _receive(self, provider: str, given: Receipt, whom: Sequence[str] | None, at: float) -> str | None:
        if whom is None or given.state not in STATES:
            return self.receipts.take(provider, given, at)
        found = None if given.reference is None else self.receipts.find(provider, given.reference)
        answered = None if found is None else (found[0], found[3])
        return note_answer(self._connection, provider.partition("/")[0], given, answered, whom, at)

    def _take(self, one: Decision, way: Way) -> int:
        done = self._connection.execute(
            "INSERT OR IGNORE INTO decision (partition, seq, id, outcome, customer, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (one.partition, one.seq, one.id, one.outcome, one.customer, msgspec.json.encode(one)),
        )
        if not done.rowcount or way is None or done.lastrowid is None:
            return 0  # it was known, or there is nothing to send
        return self._queue(done.lastrowid, one, way)

    def _queue(self, number: int, one: Decision, way: Route | Withheld | str) -> int:
        decided, reason, state = one.minute * 60.0, "", State.QUEUED
        if isinstance(way, str):
            way = Withheld(Route("", "", "marketing", 0, 0.0), way)
        due: float | None = decided
        if isinstance(way, Withheld):
            route, reason, state = way.route, way.reason, after(state, Event.HOLD_BACK)
        else:
            route, due = way, self._first_due(one.trigger, way.pace, decided)
        if due is None:
            due, reason, state = decided, DROPPED, after(state, Event.HOLD_BACK)
        words = covering(paused(self._connection), route.channel, one.trigger)
        is_paused = words is not None and state is State.QUEUED
        self._connection.execute(
            _INSERT,
            (number, state.value, route.channel, one.trigger, route.template, route.purpose, route.priority,
             decided, route.lasts, due + route.lasts, due, decided, words if is_paused else reason,
             pacing.written(route.pace), decided if is_paused else None, hours.written(route.quiet),
             capped.written(route.caps)),
        )  # fmt: skip
        note_changes(self._connection, [(number, 1, state.value, decided, 0, "", reason)])
        return int(state is State.QUEUED)

    def _first_due(self, trigger: str, pace: Pace | None, decided: float) -> float | None:
        """Return when a message's turn is; None where that falls into quiet hours that drop."""
        if pace is None:
            return decided
        self._places.forget(trigger, decided)
        return self._places.take(trigger, pace, decided)

    def _step(self, steps: Sequence[Step]) -> list[State | None]:
        found, settled = take_steps(self._connection, steps)
        pause_what_came_back(self._connection, [step.number for step in steps])
        for number, attempt, receipt in self.receipts.kept_of(settled):
            self.receipts.apply(number, attempt, receipt, steps[-1].at)
        clicked = self._clicked(settled)
        if clicked:
            take_steps(self._connection, [_followed(number, steps[-1].at) for number in clicked])
        return found

    def _clicked(self, numbers: Sequence[int]) -> list[int]:
        """Return which of these have been clicked, though nobody knew by then that they were out."""
        if not numbers or not self._connection.execute("SELECT EXISTS (SELECT 1 FROM click)").fetchone()[0]:
            return []
        query = "SELECT number FROM click WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number"
        found = self._connection.execute(query, (msgspec.json.encode(sorted(set(numbers))).decode(),))
        return [number for (number,) in found]

    def _turn(self, one: Turned) -> None:
        if one.to == "paused":
            pause(self._connection, one.what, one.reason, one.at)
        elif one.to == "off":
            end(self._connection, one.what, one.at)
        else:
            if not one.what:
                self._connection.execute("DELETE FROM left_to")
            dropped = resume(self._connection, one.what, one.at)
            self._step([Step(number, Event.HOLD_BACK, one.at, reason=DROPPED) for number in dropped])

    def _recover(self, now: float, places: Mapping[str, int] | None) -> int:
        query = "SELECT number, purpose FROM delivery WHERE state = 'claimed' ORDER BY number"
        found = self._connection.execute(query).fetchall()
        steps = []
        for number, purpose in found:
            steps.append(Step(number, Event.BREAK, now, reason=_REASON))
            if purpose == "transactional":
                steps.append(Step(number, Event.RETRY, now, due=now, reason=_REASON))
        if steps:
            self._step(steps)
        if places is not None:  # providers may stand in another order now
            self._connection.execute("UPDATE delivery SET turn = 0 WHERE state = 'queued' AND turn > 0")
            same = [(place, provider) for provider, place in places.items() if place > 0]
            self._connection.executemany(_SAME, same)
        return len(found)

    def _click(self, number: int, at: float) -> None:
        """Whoever follows a message's link has got it, whatever the provider said. Of a decision without a
        delivery there is no link: such a record changes nothing, for it must not stop the ledger."""
        query = "SELECT state FROM delivery WHERE number = ?"
        found = self._connection.execute(query, (number,)).fetchone()
        if found is None:
            return
        self._connection.execute(
            "INSERT INTO click (number, first, last, times, told) VALUES (?, ?, ?, 1, 0) "
            "ON CONFLICT (number) DO UPDATE SET first = min(first, excluded.first), "
            "last = max(last, excluded.last), times = times + 1", (number, at, at),
        )  # fmt: skip
        if found[0] not in (State.DELIVERED, State.CLAIMED):
            self._step([_followed(number, at)])

    def _act(self, one: Acted) -> Exception | None:
        found = self._connection.execute(
            "SELECT number, state, channel, reason, pace, quiet FROM delivery JOIN decision USING (number) "
            "WHERE id = ? AND outcome = 'act'", (one.delivery,),
        ).fetchone()  # fmt: skip
        if found is None:
            return KeyError(one.delivery)
        number, state, channel, reason, pace, quiet = found
        try:
            check_by_hand(State(state), channel, reason, one.event)
        except Impossible as error:
            return error
        silent = hours_of(pacing.read(pace), hours.read(quiet))
        due = one.at if silent is None else silent.loud_from(one.at)
        self._step([Step(number, one.event, one.at, due=due, turn=0, reason=one.reason)])
        if one.event in AGAIN:  # it lasts as long as it did from its decision on
            query = "UPDATE delivery SET expires = ? + max(lasts, 3600) WHERE number = ?"
            self._connection.execute(query, (due, number))
        self._connection.execute(
            "INSERT INTO by_hand (number, at, act, reason) VALUES (?, ?, ?, ?)",
            (number, one.at, one.event.value, one.reason),
        )
        return None


def _followed(number: int, at: float) -> Step:
    return Step(number, Event.ARRIVED, at, reason="its link was followed")
