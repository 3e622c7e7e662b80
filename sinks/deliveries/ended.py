"""Deliveries that will reach nobody, until the log is told: their decisions' slots are given back (D5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import EndsTold
from streams.control import Control, receipt


@dataclass(frozen=True)
class Ended:
    """A decision whose message failed or expired, or was held back, which is a failure too."""

    number: int
    decision: Decision
    state: str


def ended(ledger: Ledger, limit: int) -> list[Ended]:
    """Return up to ``limit`` of which the log has not been told; told twice it gives nothing back twice."""
    rows = ledger.rows(
        "SELECT ended.number, body, ended.state FROM ended JOIN decision USING (number) "
        "ORDER BY ended.number LIMIT ?", (limit,),
    )  # fmt: skip
    return [
        Ended(number, msgspec.json.decode(body, type=Decision), "expired" if state == "expired" else "failed")
        for number, body, state in rows
    ]


def record_of(one: Ended) -> Control:
    """Return what the log is told."""
    made = one.decision
    return receipt(
        bytes.fromhex(made.customer), made.id, made.trigger, made.minute, made.cause, one.state
    )  # fmt: skip


def told(ledger: Ledger, numbers: Sequence[int]) -> None:
    """Forget some: the log has been told."""
    ledger.do(EndsTold(numbers))
