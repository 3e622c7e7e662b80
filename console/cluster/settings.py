"""The settings in force, as they are applied while the API runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from app.shop import Shop
from streams.changes.settings import Applied

_POLL_MS = 500
_AGAIN_SECONDS = 1.0
log = logging.getLogger(__name__)


class Following:
    """Reads the topic of settings in a thread of its own, and hands over each that is newer."""

    def __init__(self, bootstrap: str, topic: str, first: Applied, use: Callable[[Shop], None]) -> None:
        """first: those that are used already; use: gets the shop's declarations, in that thread."""
        self._bootstrap, self._at, self._use = bootstrap, TopicPartition(topic, 0), use
        self._number = first.number
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settings", daemon=True)

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
                log.warning("settings: %s: %s; they are read again", type(error).__name__, error)
                self._ended.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","), enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed",
        )  # fmt: skip
        try:
            consumer.assign([self._at])
            while not self._ended.is_set():
                for record in consumer.poll(_POLL_MS).get(self._at, []):
                    self._take(Applied.decoded(record.value))
        finally:
            consumer.close()

    def _take(self, applied: Applied) -> None:
        if applied.number > self._number:
            self._number = applied.number
            self._use(Shop.model_validate_json(applied.shop))
