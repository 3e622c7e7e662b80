"""What differs between the forms of a shop that the API serves: embedded, and in a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from app.explained import Explained
from app.life.known import Known
from app.life.reach import Reach
from app.shop import Shop
from app.texts_read import AskedTexts
from engine.outcome import Decision, Transition
from engine.overview import Overview
from sinks.channels.provider import Receipt
from sinks.coupons.codes import Code, Loaded
from sinks.coupons.counts import Standing
from sinks.coupons.redeeming import Odd, Redemption
from sinks.deliveries.life import Event
from sinks.deliveries.listing import Act, Attempt, Count, Listed, Wanted
from sinks.deliveries.records import Position
from sinks.deliveries.switches import Stopped
from sinks.events.deliveries import DeliveryChange
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

    async def reach(self, broadcast: str) -> Reach:
        """Return how many a broadcast of the settings in force would reach now. Raises InputError where no
        engine knows it."""

    async def texts(self, asked: AskedTexts) -> list[dict[str, Any]]:
        """Return how a template reads (`app.texts_read.as_json`). Raises InputError for what is not there."""


@dataclass(frozen=True)
class Concluded:
    """A decision, the cursor behind it, and what became of its action: state None where that is not known
    here."""

    decision: Decision
    cursor: str
    state: str | None
    detail: str | None = None


@dataclass(frozen=True)
class Changed:
    """A change of a tag or segment, and the cursor behind it."""

    transition: Transition
    cursor: str


class Effects(Protocol):
    """What came out, by cursor (None: from the oldest). customer: only of this one (16 bytes). Each raises
    Problem for a cursor that is none, or behind which not everything is kept."""

    def decisions(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Concluded], str]:
        """Return decisions behind a cursor, and the cursor behind them."""

    def tag_changes(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Changed], str]:
        """Return changes of tags and segments behind a cursor, and the cursor behind them."""

    def listen(self, ring: Callable[[], None], is_wanted: Callable[[], bool]) -> None:
        """Ring soon after something came out, and once as it begins to listen, until nobody wants it any
        more, which is asked several times a second. Blocking; an error of what is listened to ends it."""


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

    def counts(self, wanted: Wanted, prices: Mapping[str, Decimal]) -> list[Count]:
        """Return deliveries counted by trigger, day, channel and state; prices: of one part, by provider."""

    def changes(self, cursor: str | None, limit: int) -> tuple[list[DeliveryChange], str]:
        """Return changes of state behind a cursor (None: from the oldest), and the cursor behind them.
        Raises Problem, as `Effects` do."""

    def act(self, delivery: str, event: Event, reason: str, now: float) -> None:
        """Let a person settle a delivery or send it again. Raises KeyError and Impossible."""

    def send_again(self, wanted: Wanted, most: int, reason: str, now: float) -> tuple[int, int]:
        """Send the oldest of those again that came to nothing; return how many, and how many are left."""

    def replay(
        self, wanted: Wanted, after: int, most: int, reason: str, now: float
    ) -> tuple[int, int | None]:
        """Send those again that are out, in order behind a number; return how many, and the number to go on
        behind, None where there are no more."""


class Triggers(Protocol):
    """What triggers have been through; blocking."""

    def known(self) -> Known:
        """Return the past of each behind the settings in force, what is off, and what decided. Raises
        Problem where that is not known yet."""


class Coupons(Protocol):
    """Pools of codes; blocking. Each raises Problem where they are not kept here, or a pool is unknown."""

    def standing(self, shop: Shop, pool: str, now: float) -> Standing:
        """Return how a pool stands."""

    def load(self, pool: str, codes: Sequence[str], now: float) -> Loaded:
        """Load codes without mistakes; on disk on return."""

    def find(self, pool: str, code: str) -> Code | None:
        """Return what became of a code; None where the pool has none such."""

    def redeem(self, one: Redemption) -> Odd:
        """Write down that a code was redeemed; on disk on return."""


class Sending(Protocol):
    """What sends. Each raises Problem where that is not here."""

    def providers(self) -> list[dict[str, Any]]:
        """Return how each provider stands (`sinks.deliveries.dispatch.Dispatcher.health`)."""

    async def receive(self, provider: str, receipts: Sequence[Receipt]) -> None:
        """Take receipts of ``channel/provider``; on disk on return, and so is who unsubscribes."""

    async def follow(self, code: str, now: float | None) -> str | None:
        """Return where a short link leads, and note the click (now: None where nobody has clicked); None for
        one that leads nowhere."""

    def stopped(self) -> Stopped:
        """Return what is switched off, and what is paused; blocking."""

    def switch(self, what: str, to: Position, reason: str, now: float) -> None:
        """Turn a switch (its name in the log); on disk on return; blocking."""
