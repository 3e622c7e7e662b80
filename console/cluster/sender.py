"""Messages to Kafka, by which what the API accepts is durable."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError

from console.problems import Problem
from streams.changes.topics import LARGEST_MESSAGE
from streams.debezium import kafka
from streams.errors import InputError

# Until a request is answered that Kafka does not take; senders try again.
DELIVERY_MS, REQUEST_MS = 10_000, 5_000
WAIT_SECONDS = 12.0  # longer: the producer has given up by then, and nothing comes in later
_CLOSE_SECONDS = 1.0
# One request at a time keeps a key's messages in order whatever is sent again. Without kafka-python's own
# idempotence: once a batch has waited too long for a broker that hung, such a producer never sends again
# (3.0.12, seen with a broker that was stopped and went on). What comes twice counts once all the same.
_SETTINGS: dict[str, Any] = {
    "delivery_timeout_ms": DELIVERY_MS, "request_timeout_ms": REQUEST_MS, "max_block_ms": DELIVERY_MS,
    "max_request_size": LARGEST_MESSAGE, "enable_idempotence": False,
    "max_in_flight_requests_per_connection": 1,
}  # fmt: skip


class Sender:
    """Sends with ``acks=all``: what was sent is on all copies in sync, a key's messages in order, perhaps
    twice. Any thread may use it. It connects when it is first used."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Any = None
        self._lock = threading.Lock()

    def send(self, topic: str, messages: Sequence[tuple[bytes | None, bytes]]) -> list[int]:
        """Send (key, value) messages; return their offsets: Kafka has all. Raises Problem: then it may have
        some."""
        producer = self._connected()
        try:
            sent = [producer.send(topic, value, key=key) for key, value in messages]
            return [int(one.get(WAIT_SECONDS).offset) for one in sent]
        except KafkaError as error:
            if not isinstance(error, KafkaTimeoutError):  # of a broker that is away it comes back by itself
                self._drop(producer)
            raise away(f"Kafka did not take it ({type(error).__name__})") from error

    def check(self) -> None:
        """Raise Problem unless Kafka answers now."""
        try:
            with kafka.consumer(self._bootstrap) as client:
                client.topics()
        except InputError as error:
            raise away(error.problem) from error

    def close(self) -> None:
        """Let go of the brokers."""
        self._drop(self._producer)

    def _connected(self) -> Any:
        with self._lock:
            if self._producer is None:
                try:
                    self._producer = kafka.open_producer(self._bootstrap, **_SETTINGS)
                except InputError as error:
                    raise away(error.problem) from error
            return self._producer

    def _drop(self, producer: Any) -> None:
        """Let go of a producer after an error, if it is still the one in use."""
        with self._lock:
            if producer is None or self._producer is not producer:
                return
            self._producer = None
        with contextlib.suppress(KafkaError):  # what it still had was answered as not taken
            producer.close(timeout=_CLOSE_SECONDS)


def away(detail: str) -> Problem:
    """Return the problem that Kafka does not answer."""
    hint = "try again in a moment; what was sent may have been taken, and the same row again counts once"
    return Problem("kafka-away", detail, hint)
