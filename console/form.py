"""What differs between the forms of a shop that the API serves: embedded, and in a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.explained import Explained
from app.shop import Shop
from app.texts_read import AskedTexts
from engine.outcome import Decision, Transition
from engine.overview import Overview
from sinks.channels.provider import Receipt
from sinks.deliveries.life import Event
from sinks.deliveries.listing import Act, Attempt, Count, Listed, Wanted
from streams.arrive import Arrived
from streams.contract.source import Source
from streams.message import Message
from streams.personal.erase import Erased


class View(Protocol):
    """Customers by what they are called, and what only a key opens. Any thread may ask."""

    def customers(self, named: Sequence[str]) -> list[bytes | None]:
        """Return the id (16 bytes) behind each ``type:value`` or id; None where nobody is known."""

    def references(self, customers: Sequence[bytes]) -> list[list[str]]:
        """Return the references that lead to each customer, strong ones first."""

    def opened(
        self, sources: Mapping[str, Source], customers: Sequence[bytes],
        attributes: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Return the attributes of each customer with the personal ones readable."""

    def mark(self, body: bytes) -> str:
        """Return what a request's body is told by."""


class Work(Protocol):
    """What takes rows in. Each raises Problem where that cannot be."""

    def check_ready(self) -> None:
        """Return while rows are taken."""

    def check_current(self) -> None:
        """Return while rows are taken, and come to the store."""

    def behind_since(self) -> float | None:
        """Return since when something accepted is not in the store, in seconds since 1970; None: unknown."""

    async def take(self, messages: Sequence[Message], request: str | None) -> Arrived:
        """Take messages in, durable on return; request: what makes it known when it comes again."""


@dataclass(frozen=True)
class Whole:
    """The shop as a whole. shop: the settings that it was made under; clock: the epoch minute up to whose end
    everything is in it; steps: records applied, one number a partition."""

    shop: Shop
    clock: int
    steps: list[int]
    overview: Overview


class Answers(Protocol):
    """What only an engine knows. Each raises Problem where it cannot be asked."""

    async def whole(self) -> Whole:
        """Return tags, models and their sizes."""

    async def explained(self, customer: bytes) -> Explained | None:
        """Return a customer's profile (id of 16 bytes) with reasons; None if the engine knows nobody."""

    async def texts(self, asked: AskedTexts) -> list[dict[str, Any]]:
        """Return how a template reads (`app.texts_read.as_json`). Raises InputError for what is not there."""


@dataclass(frozen=True)
class Concluded:
    """A decision, and what became of its action: state None where that is not known here."""

    decision: Decision
    state: str | None
    detail: str | None = None


class Effects(Protocol):
    """What came out, by cursor (None: from the oldest). customer: only of this one (16 bytes). Each raises
    Problem for a cursor that is none."""

    def decisions(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Concluded], str]:
        """Return decisions behind a cursor, and the cursor behind them."""

    def tag_changes(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Transition], str]:
        """Return changes of tags and segments behind a cursor, and the cursor behind them."""


class Rights(Protocol):
    """A person's rights; blocking. customer: 16 bytes."""

    def erase(self, customer: bytes) -> Erased:
        """Erase a customer, everywhere; done on return."""

    def export(self, customer: bytes) -> dict[str, Any]:
        """Return everything held on a customer."""


class Deliveries(Protocol):
    """The ledger of deliveries; blocking. Each raises Problem where it is not kept here."""

    def listed(self, wanted: Wanted, limit: int, after: int, newest: bool) -> list[Listed]:
        """Return deliveries behind a number (0: from the beginning), in order or the newest first."""

    def life(self, delivery: str) -> tuple[Listed, Sequence[Attempt], Sequence[Act]] | None:
        """Return a delivery by its id with its attempts and acts by hand; None where there is none."""

    def counts(self, wanted: Wanted) -> list[Count]:
        """Return deliveries counted by trigger, day, channel and state."""

    def act(self, delivery: str, event: Event, reason: str, now: float) -> None:
        """Let a person settle a delivery or send it again. Raises KeyError and Impossible."""


class Sending(Protocol):
    """What sends. Each raises Problem where that is not here."""

    def providers(self) -> list[dict[str, Any]]:
        """Return how each provider stands (`sinks.deliveries.dispatch.Dispatcher.health`)."""

    async def receive(self, provider: str, receipts: Sequence[Receipt]) -> None:
        """Take receipts of ``channel/provider``; on disk on return, and so is who unsubscribes."""

    def off(self) -> list[str]:
        """Return what is switched off, by its names in the log; blocking."""

    def switch(self, what: str, off: bool, reason: str, now: float) -> None:
        """Turn a switch (its name in the log); on disk on return; blocking."""
