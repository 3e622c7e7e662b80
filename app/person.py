"""A person's rights: a copy of everything held on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.shop import Shop
from sinks.coupons.codes import codes_of
from sinks.deliveries.ledger import Ledger
from streams.log.log import Log
from streams.personal.export import export

_PAGE = 1000


def whole_export(log: Log, shop: Shop, ledger: Ledger, customer: bytes) -> dict[str, Any]:
    """Return what the log has of a customer (`streams.personal.export`), ``decisions`` about them with
    what became of each, and the ``coupons`` that these have.
    """
    decisions: list[dict[str, Any]] = []
    cursor = 0
    while page := ledger.after(cursor, _PAGE, customer.hex()):
        decisions += [
            {**asdict(entry.decision), "delivery": {"state": entry.state, "detail": entry.detail}}
            for entry in page
        ]
        cursor = page[-1].number
    coupons = [asdict(one) for one in codes_of(ledger, customer.hex())]
    return {**export(log, shop.sources, customer), "decisions": decisions, "coupons": coupons}
