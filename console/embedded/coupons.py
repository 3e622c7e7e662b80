"""Pools of codes in this process's own ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from app.shop import Shop
from console.embedded.deliveries import full
from sinks.coupons.codes import Code, Loaded, find, load
from sinks.coupons.counts import Standing, standing
from sinks.coupons.records import CodesRedeemed
from sinks.coupons.redeeming import Odd, Redemption
from sinks.deliveries.ledger import Ledger


class LedgerCoupons:
    """A ledger's; a `console.form.Coupons`.

    seen: to read from, where nothing stands that is not committed; written: the sender's own.
    """

    def __init__(self, seen: Ledger, written: Ledger) -> None:
        self._seen, self._written = seen, written

    def standing(self, shop: Shop, pool: str, now: float) -> Standing:
        """Return how a pool stands."""
        return standing(self._seen, pool, shop.coupons[pool], shop.settings.zone, now)

    def load(self, pool: str, codes: Sequence[str], now: float) -> Loaded:
        """Load codes; on disk on return. Raises Problem."""
        try:
            return load(self._written, pool, codes, now)
        except sqlite3.OperationalError as error:
            raise full(error) from None

    def find(self, pool: str, code: str) -> Code | None:
        """Return what became of a code; None where the pool has none such."""
        found = find(self._seen, code, pool)
        return found[0] if found else None

    def redeem(self, one: Redemption) -> Odd:
        """Write down that a code was redeemed; on disk on return. Raises Problem."""
        try:
            [[odd]] = self._written.do(CodesRedeemed([one]))
        except sqlite3.OperationalError as error:
            raise full(error) from None
        return odd  # type: ignore[no-any-return]  # an Odd
