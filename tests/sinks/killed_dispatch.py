"""A world in which the process that dispatches is killed at chosen moments: what is not on disk is gone.

Every call of the ledger that writes has a moment before it and one behind it; the provider has one before it
sends, one behind each message, and one before it answers. `Fate` counts them, and kills where it is told.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.sending.courier_relay import CourierRelay
from engine.outcome import Decision
from sinks.channels.batch import Batch
from sinks.channels.message import Message, Purpose
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.deliveries.delivery import Queued, Route, Step
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, State
from sinks.store.store import Page
from tests.sinks.dispatching import START, decided, dispatcher_of, route

ROUNDS = 40
PURPOSES: tuple[Purpose, Purpose] = ("marketing", "transactional")


class Killed(BaseException):
    """The process is gone."""


class Fate:
    """Kills at the moments of these numbers; behind a kill nothing works until the next life."""

    def __init__(self, kills: Collection[int]) -> None:
        self._kills = frozenset(kills)
        self.moments = 0
        self.dead = False

    def moment(self) -> None:
        """Let one moment pass."""
        if self.dead:
            raise Killed
        self.moments += 1
        if self.moments in self._kills:
            self.dead = True
            raise Killed


class MortalLedger:
    """A ledger whose writing calls have a moment before and behind."""

    def __init__(self, ledger: Ledger, fate: Fate, claims: bool) -> None:
        self._ledger, self._fate, self._claims = ledger, fate, claims

    def _mortal(self, call: Callable[[], Any]) -> Any:
        self._fate.moment()
        found = call()
        self._fate.moment()
        return found

    def drained(self, relay: str, partitions: int) -> list[int]:
        return self._ledger.drained(relay, partitions)

    def take(self, *given: Any) -> int:
        return self._mortal(lambda: self._ledger.take(*given))  # type: ignore[no-any-return]  # an int

    def waiting(self, channel: str, turns: Sequence[int], now: float, limit: int) -> Sequence[Queued]:
        return self._ledger.waiting(channel, turns, now, limit)

    def next_due(self, channel: str, turns: Sequence[int]) -> float | None:
        return self._ledger.next_due(channel, turns)

    def write(self, steps: Sequence[Step]) -> Sequence[State | None]:
        if not self._claims and any(one.event is Event.CLAIM for one in steps):
            return [State.CLAIMED for _ in steps]  # the defect that a test puts in: not written
        if not self._claims:  # and settled from `queued`, so that nothing else is noticed
            claim = [Step(one.number, Event.CLAIM, one.at, "sms/0") for one in steps]
            steps = [*claim, *steps]
            return self._mortal(lambda: self._ledger.write(steps))[len(claim) :]  # type: ignore[no-any-return]
        return self._mortal(lambda: self._ledger.write(steps))  # type: ignore[no-any-return]  # states

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._ledger.rows(query, values)

    def make(self, record_of: Callable[[Any], Any]) -> None:
        self._mortal(lambda: self._ledger.make(record_of))

    def expire(self, now: float, limit: int) -> int:
        return self._ledger.expire(now, limit)

    def receive(
        self, provider: str, receipts: Sequence[Receipt], now: float, whom: Sequence[Sequence[str]] = ()
    ) -> Sequence[str | None]:
        return self._mortal(  # type: ignore[no-any-return]  # customers
            lambda: self._ledger.receive(provider, receipts, now, whom)
        )


class World:
    """Decisions in an outbox, a provider that outlives the process, and lives until all is done.

    claims: False leaves the claim out, to see that the tests would notice.
    """

    def __init__(
        self, folder: Path, kills: Collection[int], seed: int, decisions: int = 6, providers: int = 2,
        claims: bool = True,
    ) -> None:  # fmt: skip
        self.fate = Fate(kills)
        self.out: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.lives = 0
        self._folder, self._claims, self._providers = folder, claims, providers
        self._chance = random.Random(seed)
        self._made = [decided(number) for number in range(decisions)]
        self._pages = [
            Page(at, at + 1, 2, msgspec.json.encode(self._made[at : at + 2])) for at in range(0, decisions, 2)
        ]
        self._receipts: list[tuple[str, Receipt]] = []  # the other side repeats them until they are taken
        self._now = START

    def purpose(self, number: int) -> Purpose:
        return PURPOSES[number % 2]

    def pages(self, partition: int, after: int, limit: int) -> list[Page]:
        return [one for one in self._pages if one.last >= after][:limit]

    def live_out(self) -> dict[int, str]:
        """Live, die and live again until nothing is left to do; return the states."""
        while True:
            self.lives += 1
            ledger = self._opened()
            try:
                ledger.recover(self._now)
                asyncio.run(self._live(MortalLedger(ledger, self.fate, self._claims)))
                return {entry.decision.step: entry.state for entry in ledger.after(0, 1000)}
            except Killed:
                self.fate.dead = False
            finally:
                ledger.close()

    def _opened(self) -> Ledger:
        return Ledger(self._folder)

    async def _live(self, ledger: MortalLedger) -> None:
        relay = CourierRelay(self, ledger, self._route, 1)  # type: ignore[arg-type]  # all that it asks
        names = [f"sms/{place}" for place in range(self._providers)]
        providers = [_Other(self, name) for name in names]
        dispatcher = self._dispatcher(ledger, {"sms": providers})
        for _ in range(ROUNDS):
            relay.step()
            await dispatcher.run_until_idle()
            self._deliver_receipts(dispatcher)
            if relay.drained[0] == len(self._made) and ledger.next_due("sms", range(self._providers)) is None:
                return
            self._now += 61.0

    def _dispatcher(self, ledger: MortalLedger, channels: Mapping[str, Sequence[Any]]) -> Dispatcher:
        return dispatcher_of(ledger, channels, lambda: self._now)

    def _deliver_receipts(self, dispatcher: Dispatcher) -> None:
        while self._receipts:
            name, receipt = self._receipts[0]
            dispatcher.receive(name, [receipt])
            self._receipts.pop(0)

    def _route(self, decision: Decision) -> Route:
        return route(self.purpose(decision.step))

    def answer(self, name: str, message: Message) -> Outcome:
        """Return what the other side does with a message, by chance; what is out is counted."""
        kind = self._chance.choices(["take", "busy", "lost", "gone"], [6, 2, 1, 1])[0]
        if kind == "busy":
            self.refused[message.id] += 1
            return Refused("retry", "busy", "too many")
        if kind == "gone":
            return Unknown("the connection broke")  # it did not arrive, but who knows
        self.out[message.id] += 1
        reference = f"{name} {message.id} {self.out[message.id]}"
        if self._chance.random() < 0.5:
            self._receipts.append((name, Receipt(reference, "delivered")))
        return Unknown("the connection broke") if kind == "lost" else Accepted(reference)


class _Other:
    """A provider whose other side is the world."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    async def open(self) -> None: ...

    async def send(self, batch: Batch) -> None:
        self._world.fate.moment()
        for message in batch:
            batch.tell(message, self._world.answer(self._name, message))
            self._world.fate.moment()

    async def close(self) -> None: ...
