"""A CloudEvent 1.0: its attributes and its data, in Kafka's binary mode and in structured JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

SPECVERSION = "1.0"
JSON = "application/json"
BATCH = "application/cloudevents-batch+json"
Header = tuple[str, bytes]


@dataclass(frozen=True)
class Envelope:
    """One event. id: unique in the shop; subject: the customer's id; time: RFC 3339; data: JSON's types."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Mapping[str, Any]

    def headers(self) -> list[Header]:
        """Return the attributes as headers of a Kafka message (binary mode)."""
        return [
            ("ce_specversion", SPECVERSION.encode()),
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", self.time.encode()),
            ("content-type", JSON.encode()),
        ]

    def structured(self) -> bytes:
        """Return attributes and data as one JSON object, without a line end in it."""
        return msgspec.json.encode({
            "specversion": SPECVERSION, "id": self.id, "source": self.source, "type": self.type,
            "subject": self.subject, "time": self.time, "datacontenttype": JSON, "data": self.data,
        })  # fmt: skip


@lru_cache(maxsize=64)
def source_of(shop: str) -> str:
    """Return the source of a shop's events, a URI reference.

    >>> source_of("clothes"), source_of("茶")
    ('/tintype/clothes', '/tintype/%E8%8C%B6')
    """
    return f"/tintype/{quote(shop, safe='')}"


@lru_cache(maxsize=64)
def minute_text(minute: int) -> str:
    """Return an epoch minute as RFC 3339 writes it.

    >>> minute_text(29538240)
    '2026-02-28T16:00:00Z'
    """
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_text(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 writes them, to the millisecond.

    >>> moment_text(1772294400.25)
    '2026-02-28T16:00:00.250Z'
    """
    told = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")
