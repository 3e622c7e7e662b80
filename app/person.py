"""A person's rights: a copy of everything held on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.shop import Shop
from sinks.coupons.codes import codes_of
from sinks.deliveries.answers import answers_of
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tag_changes import tag_changes_of
from streams.log.log import Log
from streams.personal.export import export

_PAGE = 1000


def whole_export(log: Log, shop: Shop, ledger: Ledger, customer: bytes) -> dict[str, Any]:
    """Return what the log has of a customer (`streams.personal.export`), ``decisions`` about them with
    what became of each, the ``tag_changes`` that are kept, the ``coupons`` that the decisions have, and what
    the customer has ``answered``.
    """
    decisions: list[dict[str, Any]] = []
    cursor = 0
    while page := ledger.after(cursor, _PAGE, customer.hex()):
        decisions += [
            {**asdict(entry.decision), "delivery": {"state": entry.state, "detail": entry.detail}}
            for entry in page
        ]
        cursor = page[-1].number
    tag_changes = [asdict(one) for one in tag_changes_of(ledger.connection, customer.hex())]
    coupons = [asdict(one) for one in codes_of(ledger, customer.hex())]
    answered = [asdict(one) for one in answers_of(ledger, customer.hex())]
    return {**export(log, shop.sources, customer), "decisions": decisions, "tag_changes": tag_changes,
            "coupons": coupons, "answered": answered}  # fmt: skip
