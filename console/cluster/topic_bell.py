"""Rings as something comes into the topics of effects: a consumer of its own waits for it at their ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from kafka.errors import KafkaError

from streams.debezium import kafka

_POLL_MS = 300
_REST_SECONDS = 0.1  # between rings: each is a question of every stream


def listen(
    bootstrap: str, topics: list[str], ring: Callable[[], None], is_wanted: Callable[[], bool]
) -> None:
    """Ring after each commit of effects, until nobody wants it. Raises KafkaError and InputError.

    What came while it rested is passed over, and rung for: the end is asked for before the ring, so that
    whatever lies before it is seen by who is woken, and what comes later is heard.
    """
    consumer = kafka.open_consumer(
        bootstrap, isolation_level="read_committed", fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=64 << 10,
    )  # fmt: skip
    rest = threading.Event()
    try:
        parts = kafka.partitions_of(consumer, topics)
        consumer.assign(parts)
        while is_wanted():
            for one, end in consumer.end_offsets(parts).items():
                consumer.seek(one, end)
            ring()
            while is_wanted() and not consumer.poll(_POLL_MS):
                continue
            rest.wait(_REST_SECONDS)
    finally:
        with contextlib.suppress(KafkaError):
            consumer.close()
