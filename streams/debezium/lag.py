"""How far the readers of a connector's topics are behind: in rows, and in seconds by the messages' time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition

from streams.debezium import kafka

READ_S = 10.0


@dataclass(frozen=True)
class Lag:
    """One group on one partition.

    committed: the offset it goes on from, None before its first commit; end: behind the newest message;
    rows: messages in between; seconds: the age of the first of them, 0 without one, None where it is unknown.
    """

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    rows: int
    seconds: float | None


def lags(bootstrap: str, prefix: str, groups: list[str] | None = None) -> list[Lag]:
    """Return the lag of groups (None: all that have committed) on each partition of ``prefix.*`` topics."""
    with kafka.admin(bootstrap) as admin:
        topics = [name for name in sorted(admin.list_topics()) if name.startswith(f"{prefix}.")]
        wanted = groups if groups is not None else sorted(one["group_id"] for one in admin.list_groups())
        committed = {group: admin.list_group_offsets(group)[group] for group in wanted}
    with kafka.consumer(bootstrap) as consumer:
        partitions = kafka.partitions_of(consumer, topics)
        ends = consumer.end_offsets(partitions)
        begins = consumer.beginning_offsets(partitions)
        found = []
        for group, offsets in committed.items():
            mine = [one for one in partitions if one in offsets] if groups is None else partitions
            for one in mine:
                at = offsets[one].offset if one in offsets and offsets[one].offset >= 0 else None
                start = max(begins[one], at or 0)
                rows = max(0, ends[one] - start)
                age = age_of(consumer, one, start) if rows else 0.0
                found.append(Lag(group, one.topic, one.partition, at, ends[one], rows, age))
    return found


def age_of(consumer: Any, partition: TopicPartition, offset: int) -> float | None:
    """Return how many seconds ago the message at ``offset``, or the next, was written; None if none comes."""
    consumer.assign([partition])
    consumer.seek(partition, offset)
    until = time.monotonic() + READ_S
    while time.monotonic() < until:
        for messages in consumer.poll(timeout_ms=500, max_records=1).values():
            return max(0.0, time.time() - float(messages[0].timestamp) / 1000)
    return None
