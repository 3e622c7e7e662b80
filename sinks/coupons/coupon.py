"""A code that a message says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sinks.channels.message import Value
from sinks.coupons.pool import CODE, EXPIRES, VALUE, Pool


@dataclass(frozen=True)
class Coupon:
    """A decision's code. expires: the last minute (UTC, since 1970) at which it is good, or None."""

    pool: str
    code: str
    expires: int | None

    def values(self, pools: Mapping[str, Pool]) -> dict[str, Value]:
        """Return what a message may say of it."""
        pool = pools.get(self.pool)
        return {CODE: self.code, EXPIRES: self.expires, VALUE: pool.value if pool else None}
