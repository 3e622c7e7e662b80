"""How pools stand: what is loaded, left, claimed, sent, redeemed and over, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sinks.coupons.claims import left_of
from sinks.coupons.codes import mask
from sinks.coupons.pool import Pool, is_over
from sinks.deliveries.ledger import Ledger

_ALL = 2**62


@dataclass(frozen=True)
class Standing:
    """A pool's codes, counted. left: free to be claimed; claimed: by a decision, of these sent: accepted by a
    provider; expired: not redeemed and over; odd: redemptions that are not as they should be, by what is odd.
    """

    pool: str
    loaded: int
    left: int
    claimed: int
    sent: int
    redeemed: int
    expired: int
    odd: Mapping[str, int]


@dataclass(frozen=True)
class OddRedemption:
    """A redemption that is not as it should be. code: masked; at: seconds since 1970."""

    code: str
    at: float
    odd: str
    customer: str | None


def standing(ledger: Ledger, name: str, pool: Pool, zone: str, now: float) -> Standing:
    """Return how a pool stands. now: seconds since 1970."""
    [(loaded, free, claimed, sent, redeemed, ended)] = ledger.rows(
        "SELECT count(*), total(claimed IS NULL AND redeemed IS NULL), count(claimed), "
        "total(coalesce(sent, state IN ('sent', 'delivered'), 0)), count(redeemed), "
        "total(redeemed IS NULL AND claimed IS NOT NULL AND (coupon.expires + 1) * 60 <= ?) "
        "FROM coupon LEFT JOIN delivery USING (number) WHERE pool = ?",
        (now, name),
    )
    over = is_over(pool.expires, now, zone)
    odd = ledger.rows(
        "SELECT odd, count(*) FROM redemption JOIN coupon USING (place) WHERE pool = ? AND odd <> '' "
        "GROUP BY 1 ORDER BY 1", (name,),
    )  # fmt: skip
    left, expired = (0, int(ended + free)) if over else (int(free), int(ended))
    return Standing(name, loaded, left, claimed, int(sent), redeemed, expired, dict(odd))


def left(ledger: Ledger, name: str, pool: Pool, zone: str, now: float) -> int:
    """Return how many codes of a pool can be claimed now."""
    return 0 if is_over(pool.expires, now, zone) else left_of(ledger, name, _ALL)


def odd_redemptions(ledger: Ledger, name: str, limit: int) -> list[OddRedemption]:
    """Return the newest redemptions of a pool that are not as they should be."""
    rows = ledger.rows(
        "SELECT code, at, odd, customer FROM redemption JOIN coupon USING (place) "
        "WHERE pool = ? AND odd <> '' ORDER BY at DESC, place LIMIT ?", (name, limit),
    )  # fmt: skip
    return [OddRedemption(mask(code), at, odd, customer) for code, at, odd, customer in rows]
