"""A profile store for a module, and shops on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.store.server import EmbeddedServer
from tests.app.shopkeeper import Shopkeeper


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    running = EmbeddedServer(tmp_path_factory.mktemp("store"))
    yield running
    running.stop()


@pytest.fixture(params=[1, 4])
def keeper(tmp_path: Path, server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[Shopkeeper]:
    made = Shopkeeper(tmp_path / "shop", server, request.param)
    yield made
    made.log.close()
