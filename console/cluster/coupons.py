"""Codes are not kept in a cluster: whoever carries its decisions out claims them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from app.shop import Shop
from console.problems import refuse
from sinks.coupons.codes import Code, Loaded
from sinks.coupons.counts import Standing
from sinks.coupons.redeeming import Odd, Redemption


class ClusterCoupons:
    """Refuses; a `console.form.Coupons`."""

    def standing(self, shop: Shop, pool: str, now: float) -> Standing:
        """Refuse."""
        _refuse()

    def load(self, pool: str, codes: Sequence[str], now: float) -> Loaded:
        """Refuse."""
        _refuse()

    def find(self, pool: str, code: str) -> Code | None:
        """Refuse."""
        _refuse()

    def redeem(self, one: Redemption) -> Odd:
        """Refuse."""
        _refuse()


def _refuse() -> NoReturn:
    refuse("not-here", "a cluster does not keep coupons", "see /v1/decisions, and their topic")
