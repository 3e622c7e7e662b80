"""Carries out decisions: each one to act becomes a message of its trigger's channel, or is held back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.outcome import Decision
from rules.schema import Schema
from sinks.channels.channel import Channel
from sinks.channels.console import ConsoleChannel
from sinks.channels.file import FileChannel
from sinks.channels.message import HeldBack, Message, fill
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


def open_channels(shop: Shop, folder: Path, write: Callable[[str], None]) -> dict[str, Channel]:
    """Return a shop's channels by name; a file's path is relative to ``folder``."""
    return {
        name: FileChannel(folder / declared.path) if declared.path is not None else ConsoleChannel(write)
        for name, declared in shop.channels.items()
    }


class Courier:
    """Carries out a shop's decisions.

    ``address`` gives a customer's reference by id (32 hex digits), None where they are erased; ``readable``
    turns the values that go with a decision of a customer into what a message may say (`Readable`).
    """

    def __init__(
        self, shop: Shop, channels: Mapping[str, Channel], address: Callable[[str], str | None],
        readable: Readable = lambda _, values: values,
    ) -> None:  # fmt: skip
        self._shop = shop
        self._schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
        self._channels = channels
        self._address = address
        self._readable = readable

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
            text = fill(template, values)
        except HeldBack as reason:
            return Delivery(decision, None, str(reason))
        to = self._address(decision.customer)
        if to is None:
            return Delivery(decision, None, "the customer is erased: there is nobody to send it to")
        message = Message(decision.id, decision.minute, to, action.channel, action.template, text)
        try:
            self._channels[action.channel].send(message)
        except OSError as error:  # it may be out all the same, so it is not sent again
            return Delivery(decision, None, None, f"channel {action.channel} failed while sending: {error}")
        return Delivery(decision, message, None)

    def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            channel.close()
