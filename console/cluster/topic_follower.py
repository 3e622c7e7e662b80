"""The one partition of a topic, followed in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

_POLL_MS = 200
_AGAIN_SECONDS = 1.0
log = logging.getLogger(__name__)


class TopicFollower:
    """Reads what is committed, and begins again where Kafka fails. All calls come in its thread.

    begin: the first offset that is wanted; take: gets records in their order; caught_up: is called, again and
    again, once all that was there when it began has been taken.
    """

    def __init__(
        self, bootstrap: str, topic: str, begin: Callable[[], int], take: Callable[[Sequence[Any]], None],
        caught_up: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._bootstrap, self._at = bootstrap, TopicPartition(topic, 0)
        self._begin, self._take, self._caught_up = begin, take, caught_up
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=topic, daemon=True)

    @property
    def has_ended(self) -> bool:
        """Whether it has been told to stop."""
        return self._ended.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow()
            except KafkaError as error:
                log.warning("%s: %s: %s; it is read on", self._at.topic, type(error).__name__, error)
                self._ended.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","), enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed",
        )  # fmt: skip
        try:
            while self._at.topic not in consumer.topics():  # to ask for it could make one that is unlike it
                if self._ended.wait(_AGAIN_SECONDS):
                    return
            consumer.assign([self._at])
            consumer.seek(self._at, self._begin())
            end = consumer.end_offsets([self._at])[self._at]
            while not self._ended.is_set():
                if records := consumer.poll(_POLL_MS).get(self._at, []):
                    self._take(records)
                if consumer.position(self._at) >= end:
                    self._caught_up()
        finally:
            consumer.close()
