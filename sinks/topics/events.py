"""An effect, or a change of a delivery, as a message of its topic: a CloudEvent 1.0 in Kafka's binary mode,
attributes as headers.

docs/asyncapi.yaml describes all kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from sinks.events.deliveries import DeliveryChange, event_of_change
from sinks.events.effects import event_of_effect
from sinks.events.envelope import Envelope, Header
from sinks.outbox import Effect
from sinks.topics.names import DECISIONS, DELIVERIES, TAG_CHANGES


@dataclass(frozen=True)
class Event:
    """One message. ``kind``: of the topic. ``key``: the customer, so that theirs stay in order."""

    kind: str
    key: bytes
    value: bytes
    headers: list[Header]


def event_of(effect: Effect, number: int, shop: str) -> Event:
    """Return the message of an effect of the shop's partition of this number."""
    kind = DECISIONS if "trigger" in effect else TAG_CHANGES
    return _message(kind, event_of_effect(effect, number, shop))


def delivery_event(change: DeliveryChange, shop: str) -> Event:
    """Return the message of a change of a delivery's state."""
    return _message(DELIVERIES, event_of_change(change, shop))


def _message(kind: str, event: Envelope) -> Event:
    return Event(kind, event.subject.encode(), msgspec.json.encode(event.data), event.headers())
