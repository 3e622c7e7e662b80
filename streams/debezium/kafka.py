"""Kafka's side of the tools: clients that say what to do when no broker answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError

from streams.errors import InputError

TIMEOUT_MS = 15_000
BOOTSTRAP_MS = 5_000
HINT = "start it, or correct [kafka] bootstrap"


@contextmanager
def _client(kind: type, bootstrap: str, **settings: Any) -> Iterator[Any]:
    client = _opened(kind, bootstrap, **settings)
    try:
        yield client
    except KafkaError as error:
        raise InputError(bootstrap, f"Kafka refuses: {error}", "correct it, and do it again") from error
    finally:
        client.close()


def _opened(kind: type, bootstrap: str, **settings: Any) -> Any:
    _probe(bootstrap)
    try:
        return kind(bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=BOOTSTRAP_MS, **settings)
    except (KafkaTimeoutError, ValueError) as error:
        raise InputError(bootstrap, f"no Kafka broker answers ({error})", HINT) from None


def _probe(bootstrap: str) -> None:
    """Raise InputError where nothing listens: the clients would try for long and leave sockets open."""
    reason: object = "none is named"
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except (OSError, ValueError) as error:
            reason = error
        else:
            return
    raise InputError(bootstrap, f"no Kafka broker answers ({reason})", HINT)


def admin(bootstrap: str) -> Any:
    """Open a `KafkaAdminClient` for a ``with`` block."""
    return _client(KafkaAdminClient, bootstrap, request_timeout_ms=TIMEOUT_MS)


def consumer(bootstrap: str) -> Any:
    """Open a `KafkaConsumer` for a ``with`` block: of no group, told what to read, it commits nothing."""
    return _client(KafkaConsumer, bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")


def open_consumer(bootstrap: str, **settings: Any) -> Any:
    """Open such a `KafkaConsumer` for whoever closes it later. Raises InputError where no broker answers."""
    return _opened(
        KafkaConsumer, bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", **settings
    )


def producer(bootstrap: str) -> Any:
    """Open a `KafkaProducer` whose messages count once all copies have them, for a ``with`` block."""
    return _client(KafkaProducer, bootstrap, acks="all", max_block_ms=TIMEOUT_MS)


def open_producer(bootstrap: str, **settings: Any) -> Any:
    """Open such a `KafkaProducer` for whoever closes it later. Raises InputError where no broker answers."""
    return _opened(KafkaProducer, bootstrap, acks="all", **settings)


def make_topic(bootstrap: str, name: str, partitions: int) -> bool:
    """Make a topic where there is none; return whether it was made."""
    with admin(bootstrap) as client:
        try:
            client.create_topics({name: {"num_partitions": partitions}}, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return False
        return True


def topic_settings(admin: Any, topic: str) -> dict[str, str]:
    """Return the settings of a topic that are not the brokers' own: name -> value."""
    from kafka.admin import ConfigResource, ConfigResourceType

    described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {name: said["value"] for name, said in described["topic"][topic].items()}


def partitions_of(client: Any, topics: list[str]) -> list[TopicPartition]:
    """Return the partitions of those topics that exist, in order."""
    found = {topic: client.partitions_for_topic(topic) or set() for topic in topics}
    return [TopicPartition(topic, number) for topic in topics for number in sorted(found[topic])]
