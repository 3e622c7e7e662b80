"""Which redemptions a ledger has written down already."""

from __future__ import annotations

from collections.abc import Sequence

from sinks.coupons.redeeming import Odd, Redemption
from sinks.deliveries.ledger import Ledger

_WRITTEN = (
    "SELECT odd FROM coupon LEFT JOIN redemption ON redemption.place = coupon.place AND mark = ? "
    "WHERE pool = ? AND code = ?"
)


def written(ledger: Ledger, told: Sequence[Redemption]) -> list[Odd | None]:
    """Return for each what was odd about it, None where it is not written down; "unknown" where its pool has
    no such code."""
    found = [ledger.rows(_WRITTEN, (one.mark, one.pool, one.code)) for one in told]
    return [rows[0][0] if rows else "unknown" for rows in found]


def news_of(ledger: Ledger, told: Sequence[Redemption]) -> list[Redemption]:
    """Return those that are not written down, of codes that there are, each once."""
    each = list({(one.pool, one.code, one.mark): one for one in told}.values())
    return [one for one, odd in zip(each, written(ledger, each), strict=True) if odd is None]
