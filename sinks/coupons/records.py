"""What changes codes, as records of the ledger (`sinks.deliveries.records`)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sinks.coupons.redeeming import Redemption


class CodesLoaded(msgspec.Struct, tag="codes loaded", frozen=True):
    """Codes behind those that a pool has; which it has already are left as they are."""

    pool: str
    codes: Sequence[str]
    at: float


class Given(msgspec.Struct, array_like=True, frozen=True):
    """A code that was free, and the delivery (its number) that has it from now on. expires: the last minute
    at which it is good."""

    number: int
    pool: str
    code: str
    expires: int | None


class CodesClaimed(msgspec.Struct, tag="codes claimed", frozen=True):
    """Codes given to deliveries: which, because pools are settings, and those may differ where it is read."""

    given: Sequence[Given]
    at: float


class CodesRedeemed(msgspec.Struct, tag="codes redeemed", frozen=True):
    """Somebody has redeemed codes."""

    told: Sequence[Redemption]


class CodesForgotten(msgspec.Struct, tag="codes forgotten", frozen=True):
    """A customer (32 hex digits) is erased. until: the minute; who comes later under the same id keeps their
    codes; None where nobody has come."""

    customer: str
    until: int | None = None


CodeRecord = CodesLoaded | CodesClaimed | CodesRedeemed | CodesForgotten
