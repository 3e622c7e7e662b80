"""What connectors say of themselves: snapshots begun, in progress, done, aborted; and their heartbeats."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from streams.debezium import kafka
from streams.debezium.files import ConnectorFile
from streams.debezium.lag import READ_S, age_of

HEARTBEATS = "__debezium-heartbeat"


@dataclass(frozen=True)
class Notification:
    """One notification. ``subject`` such as "Incremental Snapshot"; ``id`` is that of its signal."""

    id: str
    subject: str
    kind: str
    at_ms: int
    data: dict[str, Any]


def notifications(bootstrap: str, file: ConnectorFile) -> list[Notification]:
    """Return the connector's notifications, oldest first; [] where it sends none to a topic."""
    topic = file.config.get("notification.sink.topic.name")
    if topic is None or "sink" not in file.list("notification.enabled.channels"):
        return []
    found = [_read(json.loads(one.value)) for one in _all(bootstrap, topic) if one.value]
    mine = [one for one in found if one.data.get("connector_name", file.prefix) in (file.prefix, file.name)]
    return sorted(mine, key=lambda one: one.at_ms)


def _read(body: dict[str, Any]) -> Notification:
    body = body.get("payload", body)
    return Notification(
        body["id"], body["aggregate_type"], body["type"], int(body.get("timestamp") or 0),
        body.get("additional_data") or {},
    )  # fmt: skip


def _all(bootstrap: str, topic: str) -> list[Any]:
    with kafka.consumer(bootstrap) as consumer:
        partitions = kafka.partitions_of(consumer, [topic])
        if not partitions:
            return []
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        found: list[Any] = []
        until = time.monotonic() + READ_S
        while any(consumer.position(one) < ends[one] for one in partitions) and time.monotonic() < until:
            for messages in consumer.poll(timeout_ms=500).values():
                found += messages
        return found


def heartbeat_age_s(bootstrap: str, file: ConnectorFile) -> float | None:
    """Return how many seconds ago the connector's last heartbeat was written; None if there was none."""
    topic = f"{file.config.get('topic.heartbeat.prefix', HEARTBEATS)}.{file.prefix}"
    with kafka.consumer(bootstrap) as consumer:
        partitions = kafka.partitions_of(consumer, [topic])
        ages = [
            age_of(consumer, one, end - 1)
            for one, end in (consumer.end_offsets(partitions) if partitions else {}).items()
            if end > 0
        ]
    return min((age for age in ages if age is not None), default=None)
