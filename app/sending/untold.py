"""What of messages the log has not been told: what customers answered, what arrived or will reach nobody, and
whose links were followed. Whoever tells it posts the records when, or with which, the log has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.sending.answers import controls_of
from app.shop import Shop
from sinks.deliveries import answers, clicks
from sinks.deliveries.ended import ended, record_of, told
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import AnswersTold, ClicksTold, Record
from streams.control import Control

TOGETHER = 200  # of each kind, in one change of the log


@dataclass(frozen=True)
class Untold:
    """answers, others: records for the log; those of answers withdraw consents. told: records by which the
    ledger knows that the log has them; is_full: whether there is most likely more."""

    answers: list[Control]
    others: list[Control]
    told: list[Record]
    is_full: bool


def untold(ledger: Ledger, shop: Shop) -> Untold:
    """Return what the log has not been told, up to so much."""
    over, clicked = ended(ledger, TOGETHER), clicks.untold(ledger, TOGETHER)
    answered = answers.untold(ledger, TOGETHER)
    records = told(over)
    if clicked:
        records.append(ClicksTold([one.number for one in clicked]))
    if answered:
        records.append(AnswersTold([one.id for one in answered]))
    return Untold(
        controls_of(shop, answered),
        [record_of(one) for one in over] + [clicks.record_of(one) for one in clicked],
        records,
        TOGETHER in (len(over), len(clicked), len(answered)),
    )
