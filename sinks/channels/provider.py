"""The contract between deliveries and whoever carries messages out. Every provider passes one test class.

A provider speaks one protocol and nothing else: limits, retries, failover, times to live and what is claimed
are the business of `sinks.deliveries`, the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import redis.asyncio

    from sinks.channels.batch import Batch


@dataclass(frozen=True)
class Receipt:
    """What became of a message later, as a provider tells it.

    reference: as in `Accepted`; None where the customer writes on their own. state: what happened;
    ``replied`` and ``unsubscribed`` come from the customer, with the ``address`` it came from and its
    ``text``.
    at: seconds since 1970, when the provider says it happened, else None. code: the provider's own.
    """

    reference: str | None
    state: Literal["delivered", "failed", "replied", "unsubscribed"]
    at: float | None = None
    code: str = ""
    reason: str = ""
    address: str = ""
    text: str = ""


@dataclass(frozen=True)
class Around:
    """What a provider is given to work with.

    folder: the shop's data folder, which a file's path is relative to. write: a line for people. receive:
    gets receipts as they come, in the event loop's thread. environment: where secrets are. store: the profile
    store, for what customers read there; shop, partitions: by which its keys are named.
    """

    folder: Path
    write: Callable[[str], None]
    receive: Callable[[Sequence[Receipt]], None] = lambda _: None
    environment: Mapping[str, str] = field(default_factory=dict)
    store: redis.asyncio.Redis | None = None
    shop: str = ""
    partitions: int = 1


class Provider(Protocol):
    """One provider. It is made without touching anything outside; one event loop uses it."""

    async def open(self) -> None:
        """Connect, if there is something to connect to; a provider that is away is no error here."""

    async def send(self, batch: Batch) -> None:
        """Carry messages out: take each from the batch when it can be begun, tell its end when that is known.

        A batch may end before all are taken: those are certainly not out, and come again. Being cancelled,
        too, leaves what was told as it is; what was taken and not told of is `Unknown`. Never raises for what
        the other side does: a refusal, a broken connection and a time-out are outcomes. What is not yet
        written to the other side is ``Refused("retry", ...)``, not `Unknown`.
        """

    async def close(self) -> None:
        """Let go of what is held, after what is at hand; it may be closed twice."""
