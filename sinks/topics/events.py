"""An effect as a CloudEvent 1.0 in Kafka's binary mode: attributes are headers, the effect is the value.

docs/asyncapi.yaml describes both kinds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

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


def event_of(effect: Effect, number: int, shop: str) -> Event:
    """Return the message of an effect of the shop's partition of this number.

    Its ``ce_id`` is the effect's place, PARTITION-SEQ, which is one effect's alone: a decision and what
    contradicts it have one decision id (D3), and a transition has none. ``ce_time`` is the effect's minute.
    """
    decided = "trigger" in effect
    kind, what = (DECISIONS, "decision") if decided else (TAG_CHANGES, "tag-change")
    customer = effect["customer"].encode()
    outcome = effect["outcome" if decided else "change"]
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{number}-{effect['seq']}".encode()),
        ("ce_source", f"/tintype/{shop}".encode()),
        ("ce_type", f"tintype.{what}.{outcome}".encode()),
        ("ce_subject", customer),
        ("ce_time", _time(effect["minute"])),
        ("content-type", b"application/json"),
    ]
    return Event(kind, customer, msgspec.json.encode({**effect, "partition": number}), headers)


@lru_cache(maxsize=64)
def _time(minute: int) -> bytes:
    """Return an epoch minute as RFC 3339 writes it.

    >>> _time(29538240)
    b'2026-02-28T16:00:00Z'
    """
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
