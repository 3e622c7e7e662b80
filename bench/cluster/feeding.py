"""Rows written to Kafka so that readers of what is committed see all of them at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaProducer

from deploy.servers.places import Place

TRANSACTION_MS = 600_000


@contextmanager
def transaction(kafka: Place, name: str) -> Iterator[KafkaProducer]:
    """Give a producer whose messages are committed when the block ends, and are not seen before."""
    producer = KafkaProducer(
        bootstrap_servers=kafka.address, transactional_id=name, linger_ms=20,
        transaction_timeout_ms=TRANSACTION_MS, batch_size=262_144,
    )  # fmt: skip
    try:
        producer.init_transactions()
        producer.begin_transaction()
        yield producer
        producer.commit_transaction()
    finally:
        producer.close()
