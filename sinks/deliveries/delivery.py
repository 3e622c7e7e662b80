"""A delivery as the dispatcher sees it, and the steps of its life that are written down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from engine.outcome import Decision
from sinks.channels.message import Purpose
from sinks.channels.outcome import Accepted, Outcome
from sinks.channels.provider import Receipt
from sinks.deliveries.capped import Capped
from sinks.deliveries.life import Event, State
from sinks.deliveries.pace import Pace
from sinks.deliveries.quiet import Quiet

_TELLING = re.compile(r"[^\s@<>]+@[^\s@<>]+|\+?\d(?:[ -]?\d){6,}")


@dataclass(frozen=True)
class Route:
    """How a decision is to be delivered. priority: higher goes first; lasts: seconds after it is first due
    from which it is too late: after the decision's minute, or its turn at the pace. quiet: hours in which it
    does not go, where it has no pace: else they are the pace's. caps: that stand against it.
    """

    channel: str
    template: str
    purpose: Purpose
    priority: int
    lasts: float
    pace: Pace | None = None
    quiet: Quiet | None = None
    caps: tuple[Capped, ...] = ()


class Withheld(msgspec.Struct, array_like=True, frozen=True):
    """How a decision would be delivered, and why it is held back: it can be sent again."""

    route: Route
    reason: str


Way = Route | Withheld | str | None  # how, why not, why there is no way at all; None: nothing is to be sent


@dataclass(frozen=True)
class Queued:
    """A delivery that waits. number: the decision's, from 1; expires: seconds since 1970; attempts: made
    before; turn: the number of the provider, in its channel's order, whose turn it is; pace, quiet, caps:
    of its route.
    """

    number: int
    decision: Decision
    channel: str
    template: str
    purpose: Purpose
    priority: int
    expires: float
    attempts: int
    turn: int
    pace: Pace | None = None
    quiet: Quiet | None = None
    caps: tuple[Capped, ...] = ()


@dataclass(frozen=True)
class Step:
    """Something that happened to a delivery, to be written down. at: seconds since 1970.

    provider: of a claim (``channel/provider``). outcome: of an attempt. due, turn: when and with whom it goes
    on, where it does. reason: for people; it must name no address and quote no text.
    """

    number: int
    event: Event
    at: float
    provider: str = ""
    outcome: Outcome | None = None
    due: float | None = None
    turn: int | None = None
    reason: str = ""


class Away(Exception):
    """What messages are made from cannot be reached at present: nothing was changed, it is tried again."""


class Book(Protocol):
    """Where deliveries stand. Whatever `write` and `receive` return from is durable."""

    def waiting(self, channel: str, turns: Sequence[int], now: float, limit: int) -> Sequence[Queued]:
        """Return up to ``limit`` deliveries that are due, the highest priority first, then the oldest."""

    def next_due(self, channel: str, turns: Sequence[int]) -> float | None:
        """Return when the next of these is due; None when none waits."""

    def write(self, steps: Sequence[Step]) -> Sequence[State | None]:
        """Take steps in order, all or nothing; return the state behind each, None where the table of
        `sinks.deliveries.life` has no such step."""

    def expire(self, now: float, limit: int) -> int:
        """Let up to ``limit`` deliveries go that wait and are too late; return how many."""

    def receive(
        self, provider: str, receipts: Sequence[Receipt], now: float, whom: Sequence[Sequence[str]] = ()
    ) -> Sequence[str | None]:
        """Take receipts, and what customers answered; a receipt that nobody can be found for is kept for a
        while. whom: for each who is known by its address, none of any where it is empty. Return for each
        whose it is: the customer's id of 32 hex digits, or None."""


def attempt_fields(outcome: Outcome) -> tuple[str, str | None, int | None, str, str]:
    """Return how an attempt ended: outcome, reference, parts, code, reason."""
    if isinstance(outcome, Accepted):
        return "accepted", outcome.reference, outcome.parts, "", ""
    verdict = getattr(outcome, "verdict", None)
    word = "unknown" if verdict is None else f"refused: {verdict}"
    return word, None, None, getattr(outcome, "code", ""), without_addresses(outcome.reason)


def without_addresses(text: str, address: str = "") -> str:
    """Return a provider's words without what could be somebody's address: it would outlive their erasure.

    >>> without_addresses("13800001001 is no number of a.b@example.com")
    '… is no number of …'
    """
    return _TELLING.sub("…", text.replace(address, "…") if address else text)
