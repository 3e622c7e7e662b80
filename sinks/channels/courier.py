"""Carries out decisions: each one to act becomes a message of its trigger's channel, or is held back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.outcome import Decision
from rules.schema import Schema
from sinks.channels.kinds import make_provider
from sinks.channels.message import HeldBack, Message
from sinks.channels.provider import Accepted, Around, Provider, Refused
from sinks.texts.texts import Texts
from streams.errors import InputError
from triggers.values import action_values

if TYPE_CHECKING:
    from app.shop import Shop


Readable = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Delivery:
    """What became of one decision: its message, or why nothing went out, or why nobody knows whether it did
    (exactly one of the three).
    """

    decision: Decision
    message: Message | None
    held_back: str | None
    unknown: str | None = None


def open_channels(shop: Shop, around: Around) -> dict[str, Provider]:
    """Return a shop's channels by name, each by its first provider."""
    here = replace(around, shop=shop.settings.name, partitions=shop.settings.partitions)
    return {name: make_provider(declared.providers[0], here) for name, declared in shop.channels.items()}


class Courier:
    """Carries out a shop's decisions. Its thread has no event loop of its own.

    ``address`` gives a customer's reference by id (32 hex digits), None where they are erased; ``readable``
    turns the values that go with a decision of a customer into what a message may say (`Readable`).
    """

    def __init__(
        self, shop: Shop, channels: Mapping[str, Provider], address: Callable[[str], str | None],
        readable: Readable = lambda _, values: values,
    ) -> None:  # fmt: skip
        self._shop = shop
        self._schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
        settings = shop.settings
        self._texts = Texts(settings.language, settings.zone, settings.currency)
        self._channels = channels
        self._address = address
        self._readable = readable
        self._runner = asyncio.Runner()
        for provider in channels.values():
            self._runner.run(provider.open())

    def carry_out(self, decisions: Iterable[Decision]) -> list[Delivery]:
        """Send what decisions to act say; refused, shadow and contradicted ones send nothing.

        decisions: those that are new and on disk already (`app.effects.Outbox.commit`).
        """
        return [self._one(one) for one in decisions if one.outcome == "act" and one.status == "live"]

    def _one(self, decision: Decision) -> Delivery:
        trigger = self._shop.triggers.get(decision.trigger)
        if trigger is None:
            return Delivery(decision, None, f"there is no trigger '{decision.trigger}' any more")
        action = trigger.action
        if action.channel not in self._channels:
            raise InputError(action.channel, "there is no such channel", "declare it in channels.yaml")
        template = self._shop.channels[action.channel].templates.get(action.template)
        if template is None:
            return Delivery(decision, None, f"channel {action.channel} has no template '{action.template}'")
        carried = self._readable(decision.customer, decision.values)
        values = action_values(self._shop.triggers[decision.trigger], self._schema, carried)
        try:
            escape = self._shop.channels[action.channel].providers[0].escape
            written = self._texts.write(template, values, escape)
        except HeldBack as reason:
            return Delivery(decision, None, str(reason))
        to = self._address(decision.customer)
        if to is None:
            return Delivery(decision, None, "the customer is erased: there is nobody to send it to")
        message = Message(
            decision.id, decision.minute, to, action.channel, action.template, written.text, written.title,
            customer=decision.customer, trigger=decision.trigger, link=written.link,
            values={name: str(value) for name, value in values.items() if value is not None},
        )  # fmt: skip
        (outcome,) = self._runner.run(self._channels[action.channel].send([message]))
        if isinstance(outcome, Accepted):
            return Delivery(decision, message, None)
        if isinstance(outcome, Refused):
            return Delivery(decision, None, f"channel {action.channel} refused it: {outcome.reason}")
        return Delivery(decision, None, None, f"channel {action.channel}: {outcome.reason}")

    def close(self) -> None:
        """Close the channels."""
        for provider in self._channels.values():
            self._runner.run(provider.close())
        self._runner.close()
