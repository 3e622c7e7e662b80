"""Listens to the topic of decisions, as a campaign would: reads what is committed, notes when it comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import msgspec
import numpy as np
from kafka import KafkaConsumer, TopicPartition

from bench.schedule import Floats

GIVE_UP_SECONDS = 30.0


class Heard:
    """One trigger's decisions to act. It listens in a thread from when it is made until `result`."""

    def __init__(self, bootstrap: str, topic: str, trigger: str) -> None:
        self._trigger = trigger
        self._moments: dict[str, float] = {}
        self._enough = threading.Event()
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False,
            fetch_max_wait_ms=10,
        )  # fmt: skip
        parts = [TopicPartition(topic, one) for one in self._consumer.partitions_for_topic(topic)]
        self._consumer.assign(parts)
        self._consumer.seek_to_end(*parts)
        for one in parts:
            self._consumer.position(one)  # where it is to begin is known
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._enough.is_set():
            for records in self._consumer.poll(timeout_ms=20).values():
                now = time.monotonic()
                for one in records:
                    said = msgspec.json.decode(one.value)
                    if said["trigger"] == self._trigger and said["outcome"] == "act":
                        self._moments.setdefault(said["customer"], now)

    def result(self, customers: Sequence[str]) -> Floats:
        """Return when each customer's came (``time.monotonic()``), inf where it did not in half a minute."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline and not self._moments.keys() >= set(customers):
            time.sleep(0.05)
        self._enough.set()
        self._thread.join()
        self._consumer.close()
        return np.array([self._moments.get(one, np.inf) for one in customers])
