"""What a provider says of a message that was handed to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Accepted:
    """The provider has taken the message over. reference: its own name for it, by which receipts come;
    parts: how many messages it is charged as.
    """

    reference: str | None = None
    parts: int = 1


@dataclass(frozen=True)
class Refused:
    """The provider has said no, so the message is certainly not out.

    verdict: ``retry`` (later, the same message can pass), ``give_up`` (this message never will) or ``stop``
    (nothing will pass until somebody mends it: credentials, balance, signature). code, reason: the
    provider's own words. after: seconds to wait before a retry, where the provider says so.
    """

    verdict: Literal["retry", "give_up", "stop"]
    code: str
    reason: str
    after: float | None = None


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether the message is out: the connection broke or timed out after it was written."""

    reason: str


Outcome = Accepted | Refused | Unknown
