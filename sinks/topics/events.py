"""An effect as a message of its topic: a CloudEvent 1.0 in Kafka's binary mode, attributes as headers.

docs/asyncapi.yaml describes both kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from sinks.events.effects import event_of_effect
from sinks.events.envelope import Header
from sinks.outbox import Effect
from sinks.topics.names import DECISIONS, TAG_CHANGES


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
    event = event_of_effect(effect, number, shop)
    return Event(kind, event.subject.encode(), msgspec.json.encode(event.data), event.headers())
