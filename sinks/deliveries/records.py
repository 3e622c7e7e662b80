"""What is written into a ledger of deliveries, as records: it follows from them alone, in their order.

Every time is in a record, and so is whatever else the tables need. In a cluster the records are messages of
the topic ``ledger`` (docs/decisions/0025), each a list of records that count together. No record holds an
address or the text of a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from engine.outcome import Decision
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.coupons.records import CodeRecord
from sinks.deliveries.delivery import Step, Way, attempt_fields, without_addresses
from sinks.deliveries.life import Event

Position = Literal["on", "off", "paused"]  # of a switch


class Taken(msgspec.Struct, tag="taken", frozen=True):
    """Decisions, each with how it is delivered, or why it is held back, or None: nothing to send."""

    made: Sequence[tuple[Decision, Way]]


class Moved(msgspec.Struct, tag="moved", frozen=True):
    """Changes of tags and segments, in order, each as JSON, of an embedded shop: those of a cluster are in
    their topic. minute: of the last one."""

    changes: Sequence[msgspec.Raw]
    minute: int


class Reached(msgspec.Struct, tag="reached", frozen=True):
    """How far what was read has come in each partition: numbers of effects, or offsets of a topic."""

    relay: str
    drained: dict[int, int]


@dataclass(frozen=True)
class Stepped:
    """Steps of deliveries' lives, in order."""

    steps: Sequence[Step]


class Received(msgspec.Struct, tag="received", frozen=True):
    """Receipts of ``channel/provider``, as `bare` leaves them. whom: for each the customers (32 hex digits)
    at the address that it came from; None of a former release, which told the log at once."""

    provider: str
    receipts: Sequence[Receipt]
    at: float
    whom: Sequence[Sequence[str]] | None = None


class Recovered(msgspec.Struct, tag="recovered", frozen=True):
    """A sender has begun: of what its predecessor had claimed the end is not known. places: of its providers
    (``channel/name``) in their channels; None: the turns of what waits stand.
    """

    at: float
    places: Mapping[str, int] | None = None


class Acted(msgspec.Struct, tag="acted", frozen=True):
    """A person settles a delivery (its id) or sends it again; what its state does not allow does nothing."""

    delivery: str
    event: Event
    reason: str
    at: float


class Switched(msgspec.Struct, tag="switched", frozen=True):
    """A person has turned a switch of which the log has to be told."""

    what: str
    off: bool
    reason: str
    at: float


class Turned(msgspec.Struct, tag="turned", frozen=True):
    """What waits goes on (``on``), comes up to be held back (``off``), or is put off (``paused``)."""

    what: str
    to: Position
    reason: str
    at: float


class SwitchesTold(msgspec.Struct, tag="switches told", frozen=True):
    """The log has the switches up to a number."""

    number: int


class EndsTold(msgspec.Struct, tag="ends told", frozen=True):
    """The log has been told of the ends of these deliveries."""

    numbers: Sequence[int]


class ArrivalsTold(msgspec.Struct, tag="arrivals told", frozen=True):
    """The log has been told that these deliveries arrived."""

    numbers: Sequence[int]


class Clicked(msgspec.Struct, tag="clicked", frozen=True):
    """Somebody has followed the link of a delivery."""

    number: int
    at: float


class ClicksTold(msgspec.Struct, tag="clicks told", frozen=True):
    """The log has been told that the links of these deliveries were followed."""

    numbers: Sequence[int]


class Shadowed(msgspec.Struct, tag="shadow", frozen=True):
    """Decisions in shadow, counted. counts: trigger, version, outcome, guard, how many; minutes: trigger,
    version, minute, how many acts; customers: trigger, version, to whom they would have gone, where that is
    new to the ledger."""

    counts: Sequence[tuple[str, str, str, str, int]]
    minutes: Sequence[tuple[str, str, int, int]]
    customers: Sequence[tuple[str, str, Sequence[str]]]


class Carried(msgspec.Struct, tag="carried", frozen=True):
    """Rows of a table of another ledger (`sinks.deliveries.carrying`)."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Sequence[int | float | str | None]]


class Left(msgspec.Struct, tag="left", frozen=True):
    """What waits here is sent by another shop from now on, and by this one no more."""

    to: str
    at: float


class AnswersTold(msgspec.Struct, tag="answers told", frozen=True):
    """The log has been told of these answers (their ids), and of consents that they withdraw."""

    ids: Sequence[int]


class Off(msgspec.Struct, tag="off", frozen=True):
    """All that is switched off, by its names in the log, as a cluster's sender has it. reasons: by name."""

    names: Sequence[str]
    reasons: Mapping[str, str] = {}


Record = (
    Taken | Moved | Reached | Stepped | Received | Recovered | Acted | Switched | Turned | SwitchesTold
    | EndsTold | ArrivalsTold | Clicked | ClicksTold | AnswersTold | Off | CodeRecord | Shadowed | Carried
    | Left
)  # fmt: skip


class _End(msgspec.Struct, array_like=True, frozen=True):
    """How an attempt ended."""

    word: Literal["accepted", "retry", "give_up", "stop", "unknown"]
    reference: str | None
    parts: int
    code: str
    reason: str


class _Step(msgspec.Struct, array_like=True, frozen=True):
    """A step. Of an outcome that refuses, how long to wait is in ``due`` already."""

    number: int
    event: Event
    at: float
    provider: str
    end: _End | None
    due: float | None
    turn: int | None
    reason: str


class _Stepped(msgspec.Struct, tag="steps", frozen=True):
    steps: Sequence[_Step]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(
    list[Taken | Moved | Reached | _Stepped | Received | Recovered | Acted | Switched | Turned | SwitchesTold
         | EndsTold | ArrivalsTold | Clicked | ClicksTold | AnswersTold | Off | CodeRecord | Shadowed
         | Carried | Left]
).decode


def encoded(records: Sequence[Record]) -> bytes:
    """Return records as one message.

    >>> encoded([Recovered(60.0)])
    b'[{"type":"recovered","at":60.0,"places":null}]'
    """
    return _encode([_Stepped(list(map(_packed, one.steps))) if isinstance(one, Stepped) else one
                    for one in records])  # fmt: skip


def decoded(message: bytes) -> list[Record]:
    """Return the records of a message. Raises msgspec.MsgspecError for what is none of this release."""
    return [
        Stepped([_step(step) for step in one.steps]) if isinstance(one, _Stepped) else one
        for one in _decode(message)
    ]


def bare(receipt: Receipt) -> Receipt:
    """Return a receipt as the ledger takes it: without the customer's words and address."""
    return replace(receipt, address="", text="", reason=without_addresses(receipt.reason))


def _packed(step: Step) -> _Step:
    end = None if step.outcome is None else _end(step.outcome)
    return _Step(
        step.number, step.event, step.at, step.provider, end, step.due, step.turn, step.reason
    )  # fmt: skip


def _end(outcome: Outcome) -> _End:
    _, reference, parts, code, reason = attempt_fields(outcome)
    if isinstance(outcome, Accepted):
        return _End("accepted", reference, parts or 0, "", "")
    return _End("unknown" if isinstance(outcome, Unknown) else outcome.verdict, None, 0, code, reason)


def _step(packed: _Step) -> Step:
    end = packed.end
    outcome: Outcome | None = None
    if end is not None:
        if end.word == "accepted":
            outcome = Accepted(end.reference, end.parts)
        elif end.word == "unknown":
            outcome = Unknown(end.reason)
        else:
            outcome = Refused(end.word, end.code, end.reason)
    return Step(packed.number, packed.event, packed.at, packed.provider, outcome, packed.due, packed.turn,
                packed.reason)  # fmt: skip


def reached(relay: str, drained: Mapping[int, int]) -> Reached:
    """Return how far a relay is in some partitions."""
    return Reached(relay, dict(drained))
