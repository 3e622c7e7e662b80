"""The ledger of deliveries: every decision once, claimed on disk before anything is sent (semantics P5)."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from engine.outcome import Decision
from sinks.channels.provider import Receipt
from sinks.deliveries import capped
from sinks.deliveries import pace as pacing
from sinks.deliveries import quiet as hours
from sinks.deliveries.delivery import Queued, Step, Way
from sinks.deliveries.left import IS_HERE
from sinks.deliveries.life import Event, State
from sinks.deliveries.posting import Posting
from sinks.deliveries.records import (
    Acted,
    Moved,
    Received,
    Record,
    Recovered,
    Shadowed,
    Stepped,
    Taken,
    bare,
    reached,
)  # fmt: skip
from sinks.deliveries.tables import NOTHING, connect

_QUEUED = (
    "SELECT d.number, body, channel, template, purpose, priority, expires, attempts, turn, pace, quiet, "
    "caps, due "
    "FROM delivery d JOIN decision USING (number) "
)


@dataclass(frozen=True)
class Entry:
    """A decision and what became of it: a `State`, or ``nothing to send``. number: from 1, a cursor."""

    number: int
    decision: Decision
    state: str
    detail: str | None


class Ledger:
    """A `sinks.deliveries.delivery.Book` in a file. Any thread may use it.

    One process (the one that owns the shop) dispatches; others may look (``write=False``), and act by hand.
    """

    def __init__(self, folder: Path, write: bool = True) -> None:
        self.connection = connect(folder, write)
        self._lock = threading.RLock()
        self._posting = Posting(self.connection)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:  # also Ctrl-C, also a disk that is full: nothing half written may stay
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def do(self, *records: Record) -> list[Any]:
        """Post records, all or nothing; on disk when this returns what `Posting.post` does of each."""
        with self._transaction():
            return [self._posting.post(one) for one in records]

    def make(self, record_of: Callable[[sqlite3.Connection], Record | None]) -> None:
        """Post the record that is made of the tables as they stand, if one is: nothing comes in between. On
        disk when this returns."""
        with self._transaction():
            record = record_of(self.connection)
            if record is not None:
                self._posting.post(record)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._lock:
            return self.connection.execute(query, values).fetchall()

    def drained(self, relay: str, partitions: int) -> list[int]:
        """Return for each partition how many effects the relay has taken over."""
        found = self.reached(relay)
        return [found.get(partition, 0) for partition in range(partitions)]

    def reached(self, relay: str) -> dict[int, int]:
        """Return how far a relay is in those partitions of which it has taken something."""
        return {
            int(partition): int(effects)
            for partition, effects in self.rows(
                "SELECT partition, effects FROM drained WHERE relay = ?", (relay,)
            )
        }

    def take(
        self, relay: str, made: Sequence[tuple[Decision, Way]], drained: Mapping[int, int],
        beside: Moved | Shadowed | None = None,
    ) -> int:  # fmt: skip
        """Write decisions down, and what came beside them, and note how far each partition is drained: on
        disk, all or nothing.

        With a decision goes how it is delivered, or why it is held back, or None when there is nothing to
        send. Return how many are queued now: those that were known already are not queued again.
        """
        taken: list[Record] = [Taken(made)] if beside is None else [Taken(made), beside]
        return int(self.do(*taken, reached(relay, drained))[0])

    def waiting(self, channel: str, turns: Sequence[int], now: float, limit: int) -> list[Queued]:
        """Return up to ``limit`` deliveries that are due, the highest priority first, then the oldest."""
        found: list[tuple[float, Queued]] = []
        with self._lock:
            for turn in turns:
                left = limit
                for priority in self._priorities(channel, turn):
                    rows = self.connection.execute(
                        _QUEUED + "WHERE state = 'queued' AND paused IS NULL AND channel = ? AND turn = ? "
                        "AND priority = ? AND due <= ? ORDER BY due, d.number LIMIT ?",
                        (channel, turn, priority, now, left),
                    ).fetchall()
                    left -= len(rows)
                    found += [(row[-1], _queued(row)) for row in rows]
                    if not left:
                        break
        found.sort(key=lambda one: (-one[1].priority, one[0], one[1].number))
        return [one for _, one in found[:limit]]

    def next_due(self, channel: str, turns: Sequence[int]) -> float | None:
        """Return when the next of these is due; None when none waits."""
        query = (
            "SELECT min(due) FROM delivery "
            "WHERE state = 'queued' AND paused IS NULL AND channel = ? AND turn = ? AND priority = ?"
        )
        with self._lock:
            dues = [
                self.connection.execute(query, (channel, turn, priority)).fetchone()[0]
                for turn in turns
                for priority in self._priorities(channel, turn)
            ]
        return min(dues, default=None)

    def _priorities(self, channel: str, turn: int) -> Iterator[int]:
        """Yield the priorities of what waits, the highest first: a seek in the index for each."""
        below = 2**62
        query = (
            "SELECT max(priority) FROM delivery WHERE state = 'queued' AND paused IS NULL "  # noqa: S608
            f"AND channel = ? AND turn = ? AND priority < ? AND {IS_HERE}"
        )
        while (found := self.connection.execute(query, (channel, turn, below)).fetchone()[0]) is not None:
            yield found
            below = found

    def write(self, steps: Sequence[Step]) -> list[State | None]:
        """Take steps in order, all or nothing, on disk; return the state behind each, None where the table
        of `sinks.deliveries.life` has no such step."""
        if not steps:
            return []
        found: list[State | None] = self.do(Stepped(steps))[0]
        return found

    def expire(self, now: float, limit: int) -> int:
        """Let up to ``limit`` deliveries go that wait and are too late; return how many."""
        query = (
            "SELECT number FROM delivery WHERE state = 'queued' AND paused IS NULL "  # noqa: S608
            f"AND expires <= ? AND {IS_HERE} ORDER BY expires LIMIT ?"
        )
        with self._lock:
            numbers = [number for (number,) in self.connection.execute(query, (now, limit))]
            self.write([Step(one, Event.TOO_LATE, now, reason="too late to be sent") for one in numbers])
        return len(numbers)

    def receive(
        self, provider: str, receipts: Sequence[Receipt], now: float, whom: Sequence[Sequence[str]] = ()
    ) -> list[str | None]:
        """Take receipts, on disk; return for each whose it is, where that is known."""
        behind = whom or [()] * len(receipts)
        record = Received(provider, [bare(one) for one in receipts], now, behind)
        found: list[str | None] = self.do(record)[0]
        return found

    def recover(self, now: float, places: Mapping[str, int] | None = None) -> int:
        """Say of everything that is claimed that its end is not known, before a process begins to send; what
        is transactional waits again for the provider that had it. places: as in `Recovered`. Return how many.
        """
        return int(self.do(Recovered(now, places))[0])

    def attempts_since(self, provider: str, since: float) -> Iterator[tuple[float, str, str]]:
        """Yield the attempts of a provider since a time, in order: time, template, customer."""
        yield from self.connection.execute(
            "SELECT claimed, template, customer FROM attempt JOIN delivery USING (number) "
            "JOIN decision USING (number) WHERE provider = ? AND claimed > ? ORDER BY claimed",
            (provider, since),
        )

    def claims_since(self, since: float) -> Iterator[tuple[float, str]]:
        """Yield the attempts of deliveries with a pace since a time, in order: time, trigger."""
        yield from self.connection.execute(
            "SELECT claimed, trigger FROM attempt JOIN delivery USING (number) "
            "WHERE claimed > ? AND pace <> '' ORDER BY claimed", (since,),
        )  # fmt: skip

    def act_by_hand(self, delivery: str, event: Event, reason: str, now: float) -> None:
        """Let a person settle a delivery that is unknown, or send one again; with the reason, on record.

        delivery: its id. Raises KeyError where there is none, and Impossible where its state does not allow
        it.
        """
        why = self.do(Acted(delivery, event, reason, now))[0]
        if why is not None:
            raise why

    def after(self, number: int, limit: int, customer: str | None = None) -> list[Entry]:
        """Return up to ``limit`` decisions behind a cursor, in the order in which they were written."""
        query = (
            "SELECT number, body, coalesce(state, ?), reason FROM decision "
            "LEFT JOIN delivery USING (number) WHERE number > ?"
        )
        values: list[object] = [NOTHING, number]
        if customer is not None:
            query, values = query + " AND customer = ?", [NOTHING, number, customer]
        found = self.connection.execute(query + " ORDER BY number LIMIT ?", (*values, limit))
        return [
            Entry(at, msgspec.json.decode(body, type=Decision), state, reason or None)
            for at, body, state, reason in found
        ]

    def of_customer(self, customer: str) -> set[str]:
        """Return the ids of all decisions about a customer."""
        return {name for (name,) in self.rows("SELECT id FROM decision WHERE customer = ?", (customer,))}

    def count(self, state: State) -> int:
        """Return how many deliveries are in a state."""
        found = self.connection.execute("SELECT count(*) FROM delivery WHERE state = ?", (state.value,))
        return int(found.fetchone()[0])

    def unknown(self) -> int:
        """Return of how many nobody knows whether they are out."""
        return self.count(State.UNKNOWN)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def _queued(row: tuple[Any, ...]) -> Queued:
    number, body, *rest, pace, quiet, caps, _ = row
    plain = Queued(number, msgspec.json.decode(body, type=Decision), *rest)
    if not (pace or quiet or caps):
        return plain
    return replace(plain, pace=pacing.read(pace), quiet=hours.read(quiet), caps=capped.read(caps))
