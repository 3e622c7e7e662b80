"""Servers of which a measurement must leave nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from kafka import KafkaAdminClient

from deploy.servers.places import Place
from tests.servers.started import server
from tests.servers.waiting import wait_for


@pytest.fixture
def places() -> Iterator[tuple[Place, Place]]:
    """Kafka and Redis; whatever is measured leaves nothing of its own behind there."""
    kafka, store = server("kafka"), server("redis")
    yield kafka, store
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    wait_for(lambda: not [one for one in admin.list_topics() if "bench" in one], "topics deleted")
    admin.close()
    with redis.Redis(port=store.port, password=store.password) as client:
        assert list(client.scan_iter("*bench*", count=1000)) == []
