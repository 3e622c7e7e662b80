"""An effect as a CloudEvent 1.0 in Kafka's binary mode: attributes are headers, the effect is the value.

docs/asyncapi.yaml describes both kinds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from sinks.outbox import Effect
from sinks.topics.names import DECISIONS, TAG_CHANGES

Header = tuple[str, bytes]


@dataclass(frozen=True)
class Event:
    """One message. ``kind``: of the topic. ``key``: the customer, so that theirs stay in order."""

    kind: str
    key: bytes
    value: bytes
    headers: list[Header]


def event_of(effect: Effect, shop: str) -> Event:
    """Return an effect's message.

    Its ``ce_id`` is the effect's place, PARTITION-SEQ, which is one effect's alone: a decision and what
    contradicts it have one decision id (D3), and a transition has none. ``ce_time`` is the effect's minute.
    """
    decided = "trigger" in effect
    kind, what = (DECISIONS, "decision") if decided else (TAG_CHANGES, "tag-change")
    at = dt.datetime.fromtimestamp(effect["minute"] * 60, dt.UTC)
    attributes = {
        "specversion": "1.0",
        "id": f"{effect['partition']}-{effect['seq']}",
        "source": f"/tintype/{shop}",
        "type": f"tintype.{what}.{effect['outcome' if decided else 'change']}",
        "subject": effect["customer"],
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    headers.append(("content-type", b"application/json"))
    return Event(kind, effect["customer"].encode(), msgspec.json.encode(effect), headers)
