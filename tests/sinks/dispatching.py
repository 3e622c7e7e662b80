"""What tests of dispatching have in common: decisions, a provider that does as told, a dispatcher."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.outcome import Decision
from sinks.channels.batch import Batch
from sinks.channels.message import HeldBack, Message, Purpose
from sinks.channels.outcome import Accepted, Outcome
from sinks.channels.settings import Limit
from sinks.deliveries.capped import Capped
from sinks.deliveries.delivery import Book, Queued, Route
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.lane import Carried, Lane, Surroundings
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.limits import Limits
from sinks.deliveries.over_caps import Caps
from sinks.deliveries.pace import Pace
from sinks.deliveries.paces import Paces
from sinks.deliveries.quiet import Quiet

MINUTE = 29_540_000
START = MINUTE * 60.0


def decided(number: int, **changed: Any) -> Decision:
    """Return a decision to act, told from others by its number."""
    whole: dict[str, Any] = {
        "id": f"{number:032x}", "partition": 0, "step": number, "minute": MINUTE,
        "customer": f"{number:032x}", "trigger": "win_back", "version": "v", "outcome": "act", "guard": "",
        "status": "live",
        "cause": {"minute": MINUTE}, "figures": {}, "values": {}, "seq": number,
    } | changed  # fmt: skip
    return Decision(**whole)


def route(
    purpose: Purpose = "marketing", channel: str = "sms", lasts: float = 86400.0, pace: Pace | None = None,
    quiet: Quiet | None = None, caps: tuple[Capped, ...] = (),
) -> Route:  # fmt: skip
    """Return a route; what is transactional goes first."""
    return Route(channel, "hi", purpose, int(purpose == "transactional"), lasts, pace, quiet, caps)


def queue(ledger: Ledger, numbers: Sequence[int], way: Route | None = None) -> None:
    """Queue deliveries of these numbers."""
    taken = [(decided(one), way or route()) for one in numbers]
    ledger.take("channels", taken, {0: max(numbers) + 1})


def make(row: Queued) -> Message:
    """Return the message of a delivery."""
    one = row.decision
    if one.values.get("lacks"):
        raise HeldBack(f"'{one.values['lacks']}' is not known of this customer")
    return Message(one.id, one.minute, "phone:13800001001", row.channel, row.template, f"to {one.customer}")


def accept(message: Message) -> Outcome:
    """Take everything."""
    return Accepted(f"ref {message.id}")


@dataclass
class Fake:
    """A provider: ``does`` says what becomes of each message; what it does not refuse has come out."""

    does: Callable[[Message], Outcome] = accept
    out: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    async def open(self) -> None: ...

    async def send(self, batch: Batch) -> None:
        self.batches.append(len(batch))
        for message in batch:
            batch.tell(message, self._one(message))

    def _one(self, message: Message) -> Outcome:
        outcome = self.does(message)
        if isinstance(outcome, Accepted):
            self.out.append(message.id)
        return outcome

    async def close(self) -> None: ...


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


def dispatcher_of(
    book: Book, channels: Mapping[str, Sequence[Any]], now: Callable[[], float],
    limits: Mapping[str, Sequence[Limit]] | None = None,
    revoked: Callable[[Queued], str | None] = lambda _: None,
    told: Callable[[Carried], None] = lambda _: None, seed: int = 1,
    say: Callable[[str], None] = lambda _: None,
    prepare: Callable[[Sequence[Queued], float], None] = lambda _rows, _now: None,
    made: Callable[[Queued], Message] = make, paces: Paces | None = None, caps: Caps | None = None,
) -> Dispatcher:  # fmt: skip
    """Return a dispatcher over providers, named by channel and place: ``sms/0``."""
    around = Surroundings(
        book, made, revoked, now, random.Random(seed), told, say, prepare, paces=paces or Paces(),
        caps=caps or Caps(),
    )
    lanes = {
        channel: [
            Lane(around, channel, f"{channel}/{place}", provider,
                 Limits((limits or {}).get(f"{channel}/{place}", [])), place, len(providers))
            for place, provider in enumerate(providers)
        ]
        for channel, providers in channels.items()
    }  # fmt: skip
    return Dispatcher(around, lanes)


def states(ledger: Ledger) -> dict[int, str]:
    """Return the state of each delivery, by the number of its decision's step."""
    return {entry.decision.step: entry.state for entry in ledger.after(0, 1_000_000)}
