"""Who followed the link of a message: when first, when last, how often; and what of it the log knows."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import Clicked
from streams.control import Control, receipt

CLICKED = "clicked"  # in the log: beside the states of deliveries


@dataclass(frozen=True)
class Untold:
    """A delivery whose link was followed, of which the log has not been told."""

    number: int
    decision: Decision


def begun_by(ledger: Ledger, start: str, limit: int = 8) -> list[tuple[int, Decision]]:
    """Return the decisions with a delivery whose id begins so (hex digits), with their numbers."""
    rows = ledger.rows(
        "SELECT number, body FROM decision JOIN delivery USING (number) WHERE id >= ? AND id < ? "
        "AND outcome = 'act' LIMIT ?", (start, start + "g", limit),
    )  # fmt: skip
    return [(number, msgspec.json.decode(body, type=Decision)) for number, body in rows]


def click(ledger: Ledger, number: int, at: float) -> None:
    """Note that a delivery's link was followed; on disk on return. at: seconds since 1970."""
    ledger.do(Clicked(number, at))


def untold(ledger: Ledger, limit: int) -> list[Untold]:
    """Return up to ``limit`` deliveries that were clicked, of which the log has not been told."""
    rows = ledger.rows(
        "SELECT click.number, body FROM click JOIN decision USING (number) WHERE told = 0 "
        "ORDER BY click.number LIMIT ?", (limit,),
    )  # fmt: skip
    return [Untold(number, msgspec.json.decode(body, type=Decision)) for number, body in rows]


def record_of(one: Untold) -> Control:
    """Return what the log is told."""
    made = one.decision
    return receipt(bytes.fromhex(made.customer), made.id, made.trigger, made.minute, made.cause, CLICKED)
