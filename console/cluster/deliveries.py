"""Deliveries are not kept in a cluster: whoever reads the topic of decisions carries them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from console.problems import refuse
from sinks.channels.provider import Receipt
from sinks.deliveries.life import Event
from sinks.deliveries.listing import Act, Attempt, Count, Listed, Wanted
from sinks.events.deliveries import DeliveryChange


class ClusterDeliveries:
    """Refuses; a `console.form.Deliveries`."""

    def listed(self, wanted: Wanted, limit: int, after: int, newest: bool) -> list[Listed]:
        """Refuse."""
        _refuse()

    def life(self, delivery: str) -> tuple[Listed, Sequence[Attempt], Sequence[Act]] | None:
        """Refuse."""
        _refuse()

    def counts(self, wanted: Wanted) -> list[Count]:
        """Refuse."""
        _refuse()

    def changes(self, cursor: str | None, limit: int) -> tuple[list[DeliveryChange], str]:
        """Refuse."""
        _refuse()

    def act(self, delivery: str, event: Event, reason: str, now: float) -> None:
        """Refuse."""
        _refuse()


class ClusterSending:
    """Refuses; a `console.form.Sending`."""

    def providers(self) -> list[dict[str, Any]]:
        """Refuse."""
        _refuse()

    async def receive(self, provider: str, receipts: Sequence[Receipt]) -> None:
        """Refuse."""
        _refuse()

    def off(self) -> list[str]:
        """Refuse."""
        _refuse()

    def switch(self, what: str, off: bool, reason: str, now: float) -> None:
        """Refuse."""
        _refuse()


def _refuse() -> NoReturn:
    refuse("not-here", "a cluster does not keep deliveries", "see /v1/decisions, and their topic")
