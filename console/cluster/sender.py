"""Messages to Kafka, by which what the API accepts is durable."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from kafka.errors import KafkaError

from console.problems import Problem
from streams.changes.topics import LARGEST_MESSAGE
from streams.debezium import kafka
from streams.errors import InputError

# Until a request is answered that Kafka does not take; senders try again.
DELIVERY_MS, REQUEST_MS = 10_000, 8_000


class Sender:
    """Sends with ``acks=all`` and idempotence: what was sent is there once, a key's messages in order, on all
    copies in sync. Any thread may use it. It connects when it is first used, and anew after an error."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._open = contextlib.ExitStack()
        self._producer: Any = None
        self._lock = threading.Lock()

    def send(self, topic: str, messages: Sequence[tuple[bytes | None, bytes]]) -> None:
        """Send (key, value) messages; on return Kafka has all. Raises Problem: then it may have some."""
        producer = self._connected()
        try:
            sent = [producer.send(topic, value, key=key) for key, value in messages]
            for one in sent:
                one.get(DELIVERY_MS / 1000)
        except KafkaError as error:
            self._drop(producer)
            raise _away(f"Kafka did not take it ({type(error).__name__})") from error

    def check(self) -> None:
        """Raise Problem unless Kafka answers now."""
        try:
            with kafka.consumer(self._bootstrap) as client:
                client.topics()
        except InputError as error:
            raise _away(error.problem) from error

    def close(self) -> None:
        """Let go of the brokers."""
        self._drop(self._producer)

    def _connected(self) -> Any:
        with self._lock:
            if self._producer is None:
                settings = {"delivery_timeout_ms": DELIVERY_MS, "request_timeout_ms": REQUEST_MS,
                            "max_block_ms": DELIVERY_MS, "max_request_size": LARGEST_MESSAGE,
                            "enable_idempotence": True}  # fmt: skip
                try:
                    self._producer = self._open.enter_context(kafka.producer(self._bootstrap, **settings))
                except InputError as error:
                    raise _away(error.problem) from error
            return self._producer

    def _drop(self, producer: Any) -> None:
        """Let go of a producer after an error, if it is still the one in use."""
        with self._lock:
            if producer is None or self._producer is not producer:
                return
            self._producer, held = None, self._open.pop_all()
        producer.close(timeout=0)
        held.close()


def _away(detail: str) -> Problem:
    hint = "try again in a moment; what was sent may have been taken, and the same row again counts once"
    return Problem("kafka-away", detail, hint)
