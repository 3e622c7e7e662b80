"""How deliveries ended, until the log is told: of what will reach nobody the decision's slots are given back
(D5); what arrived is there for whoever reads the log or its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from sinks.deliveries.records import ArrivalsTold, EndsTold, Record
from streams.control import Control, receipt

# What came to nothing goes first: slots wait for it.
_TO_NOTHING = (
    "SELECT ended.number, body, ended.state FROM ended JOIN decision USING (number) "
    "ORDER BY ended.number LIMIT ?"
)
_ARRIVED = (
    "SELECT arrived.number, body, 'delivered' FROM arrived JOIN decision USING (number) "
    "ORDER BY arrived.number LIMIT ?"
)
_SAID = (State.DELIVERED, State.EXPIRED)  # of all else it is said that it has failed


@dataclass(frozen=True)
class Ended:
    """A decision whose message arrived, failed or expired, or was held back, which is a failure too."""

    number: int
    decision: Decision
    state: str


def ended(ledger: Ledger, limit: int) -> list[Ended]:
    """Return up to ``limit`` of which the log has not been told; told twice it gives nothing back twice."""
    rows = ledger.rows(_TO_NOTHING, (limit,))
    if len(rows) < limit:
        rows += ledger.rows(_ARRIVED, (limit - len(rows),))
    return [
        Ended(number, msgspec.json.decode(body, type=Decision), state if state in _SAID else State.FAILED)
        for number, body, state in rows
    ]


def record_of(one: Ended) -> Control:
    """Return what the log is told."""
    made = one.decision
    return receipt(
        bytes.fromhex(made.customer), made.id, made.trigger, made.minute, made.cause, one.state
    )  # fmt: skip


def told(some: Sequence[Ended]) -> list[Record]:
    """Return the records by which a ledger forgets some: the log has been told."""
    arrived = [one.number for one in some if one.state == State.DELIVERED]
    to_nothing = [one.number for one in some if one.state != State.DELIVERED]
    records: list[Record] = [EndsTold(to_nothing)] if to_nothing else []
    return [*records, ArrivalsTold(arrived)] if arrived else records
