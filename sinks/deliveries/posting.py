"""Records posted to the tables of a ledger: a function of the tables and the record, and of nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.outcome import Decision
from sinks.coupons.posting import post_codes
from sinks.deliveries import capped
from sinks.deliveries import pace as pacing
from sinks.deliveries import quiet as hours
from sinks.deliveries.by_hand import check_by_hand
from sinks.deliveries.changes import note_changes
from sinks.deliveries.delivery import Route, Step, Way, Withheld
from sinks.deliveries.life import Event, Impossible, State, after
from sinks.deliveries.pace import Pace, Places, hours_of
from sinks.deliveries.pausing import covering, end, pause, pause_what_came_back, paused, resume
from sinks.deliveries.quiet import DROPPED
from sinks.deliveries.receipts import Receipts
from sinks.deliveries.records import (
    Acted,
    Clicked,
    ClicksTold,
    EndsTold,
    Moved,
    Off,
    Reached,
    Received,
    Record,
    Recovered,
    Stepped,
    Switched,
    SwitchesTold,
    Taken,
    Turned,
)
from sinks.deliveries.steps import take_steps
from sinks.deliveries.tag_changes import note_tag_changes

_INSERT = (
    "INSERT INTO delivery (number, state, channel, trigger, template, purpose, priority, turn, decided, "
    "lasts, expires, due, attempts, parts, changed, reason, changes, pace, paused, quiet, "
    "caps) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, 0, ?, ?, 1, ?, ?, ?, ?)"
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
            case Received(provider, receipts, at):
                return [self.receipts.take(provider, one, at) for one in receipts]
            case Recovered(at):
                return self._recover(at)
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
            case Clicked(number, at):
                self._click(number, at)
            case ClicksTold(numbers):
                clicks = [(number,) for number in numbers]
                self._connection.executemany("UPDATE click SET told = 1 WHERE number = ?", clicks)
            case Off(names, reasons):
                rows = [(name, reasons.get(name, "")) for name in names]
                self._connection.execute("DELETE FROM off")
                self._connection.executemany("INSERT INTO off (what, reason) VALUES (?, ?)", rows)
            case _:
                return post_codes(self._connection, record)
        return None

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
        return found

    def _turn(self, one: Turned) -> None:
        if one.to == "paused":
            pause(self._connection, one.what, one.reason, one.at)
        elif one.to == "off":
            end(self._connection, one.what, one.at)
        else:
            dropped = resume(self._connection, one.what, one.at)
            self._step([Step(number, Event.HOLD_BACK, one.at, reason=DROPPED) for number in dropped])

    def _recover(self, now: float) -> int:
        query = "SELECT number, purpose FROM delivery WHERE state = 'claimed' ORDER BY number"
        found = self._connection.execute(query).fetchall()
        steps = []
        for number, purpose in found:
            steps.append(Step(number, Event.BREAK, now, reason=_REASON))
            if purpose == "transactional":
                steps.append(Step(number, Event.RETRY, now, due=now, reason=_REASON))
        if steps:
            self._step(steps)
        # providers may stand in another order now
        self._connection.execute("UPDATE delivery SET turn = 0 WHERE state = 'queued' AND turn > 0")
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
            self._step([Step(number, Event.ARRIVED, at, reason="its link was followed")])

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
        if one.event is Event.RESEND:  # it lasts as long as it did from its decision on
            query = "UPDATE delivery SET expires = ? + max(lasts, 3600) WHERE number = ?"
            self._connection.execute(query, (due, number))
        self._connection.execute(
            "INSERT INTO by_hand (number, at, act, reason) VALUES (?, ?, ?, ?)",
            (number, one.at, one.event.value, one.reason),
        )
        return None
