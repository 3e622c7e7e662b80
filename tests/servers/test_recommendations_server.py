"""Recommendations of a cluster: trained from history on a ClickHouse server into a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.places import HOST, Place
from sinks.history.client import ServerAddress, ServerConnection
from sinks.history.server import ServerHistory
from sinks.recommendations.serving import Counter
from sinks.store.server import EmbeddedServer
from streams.control import ERASE, Control, consent
from tests.sinks.history_shop import transition
from tests.sinks.recommendation_world import DECLARED, World, filled, row


@pytest.fixture
def world(tmp_path: Path, clickhouse: Place, name: str) -> Iterator[World]:
    address = ServerAddress(HOST, clickhouse.port, f"店 {name}", password=clickhouse.password)
    history, store = ServerHistory(address), EmbeddedServer(tmp_path / "store")
    made = filled(World(tmp_path, store.client, history))
    yield made
    history.close()
    made.log.close()
    store.stop()
    connection = ServerConnection(address)
    connection.do(f"DROP DATABASE `{address.database}`")
    connection.close()


def test_every_question_of_training_is_answered_by_a_server_too(world: World) -> None:
    first, second = world.customer("M1"), world.customer("M2")
    world.profile(first, second)
    world.take(row(13, "M5", "B"), row(16, "M4", "C"), operations=["update", "delete"])
    world.outbox.effects[0].append(transition(0, 0, customer=first.hex(), what="vip"))
    world.control(consent(first, "web", "profile", True), Control(ERASE, second, "{}"))
    model = world.trainer.train()
    assert model is not None
    assert "only M2" not in model.items
    assert "C" not in model.items
    assert [model.items[at] for at in model.popular["popular in tag vip"]] == ["B", "A", "only M1"]
    counter = Counter(DECLARED, world.shelves, world.store)
    assert counter.serve("home", first).personalised
    assert not counter.serve("home", second).personalised
    world.take(row(92, "M1", "new"))
    world.control(consent(first, "web", "profile", False))
    assert world.trainer.step()
    assert not counter.serve("home", first).personalised
    touched = world.shelves.ask(world.store, first).customer.touches
    assert "new" in [one.item for one in touched]
