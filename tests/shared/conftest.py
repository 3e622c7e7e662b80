"""A store for the tests of the shared index: the embedded server, emptied for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from sinks.store.server import EmbeddedServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    found = EmbeddedServer(Path(tmp_path_factory.mktemp("store")))
    yield found
    found.stop()


@pytest.fixture
def client(server: EmbeddedServer) -> redis.Redis:
    server.client.flushall()
    return server.client
