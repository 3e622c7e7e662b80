"""A table whose changes a connector carries into a topic, with names of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition

from deploy.servers.places import DEPLOY, Place
from streams.debezium import kafka as clients
from streams.debezium.apply import apply
from streams.debezium.connectors import Config, Connectors
from streams.debezium.files import ConnectorFile
from streams.debezium.rest import ConnectRest
from tests.servers.databases import MariaDatabase, PostgresDatabase
from tests.servers.waiting import wait_for

ORDERS = "CREATE TABLE orders (order_id varchar(20) PRIMARY KEY, amount numeric(12,2), status varchar(20))"
TWO = "INSERT INTO orders VALUES ('A1', 10.00, 'paid'), ('A2', 20.50, 'created')"
SIGNAL = (
    "CREATE TABLE tintype_signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))"
)


@dataclass
class Feed:
    """A database with the table orders, and its connector's settings: change them, then `apply`."""

    database: Any
    config: Config
    table: str
    kafka: str
    connectors: Connectors
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.config["topic.prefix"]

    @property
    def topic(self) -> str:
        """Where the changes of the table orders go."""
        return f"{self.name}.{self.table}"

    @property
    def file(self) -> ConnectorFile:
        """Its settings, as a connector's file would declare them."""
        return ConnectorFile(f"{self.name}.json", self.name, dict(self.config))

    def changed(self, **changed: str) -> ConnectorFile:
        """The same with other settings."""
        return ConnectorFile(f"{self.name}.json", self.name, self.config | changed)

    def state(self) -> str | None:
        """Return the connector's own state."""
        status = self.connectors.status(self.name)
        return None if status is None else status.state

    def apply(self) -> None:
        """Run the connector, and return when its tasks do."""
        apply(self.connectors, self.file, self.kafka)
        wait_for(self.is_running, f"running: {self.name}")

    def failures(self) -> list[str]:
        """Return why it or its tasks have failed."""
        status = self.connectors.status(self.name)
        return [] if status is None else status.failures

    def is_running(self) -> bool:
        """Whether it and its tasks run; fails when one has failed."""
        status = self.connectors.status(self.name)
        assert status is None or not status.failures, status
        return status is not None and status.running

    def messages(self, at_least: int, topic: str | None = None) -> list[Any]:
        """Return all messages of a topic in the order of their writing, once there are so many."""
        named, found = topic or self.topic, list[Any]()
        with clients.consumer(self.kafka) as consumer:
            numbers = wait_for(lambda: consumer.partitions_for_topic(named), "a topic with messages")
            partitions = [TopicPartition(named, number) for number in sorted(numbers)]
            consumer.assign(partitions)

            def read_so_many_and_all() -> bool:
                for messages in consumer.poll(timeout_ms=200).values():
                    found.extend(messages)
                ends = consumer.end_offsets(partitions)
                return len(found) >= at_least and all(
                    consumer.position(one) >= ends[one] for one in partitions
                )

            wait_for(read_so_many_and_all, f"{at_least} messages in {named}")
        return sorted(found, key=lambda message: message.timestamp)


def changes(messages: list[Any]) -> list[tuple[str, str | None, str | None]]:
    """Return of each envelope its operation and the status before and after."""
    bodies = [json.loads(message.value) for message in messages if message.value is not None]
    return [
        (one["op"], (one["before"] or {}).get("status"), (one["after"] or {}).get("status")) for one in bodies
    ]


def settings_of(file: str, name: str, **changed: str) -> Config:
    """Return the settings of a file in deploy/connectors under a test's own names."""
    config: Config = json.loads((DEPLOY / "connectors" / file).read_text(encoding="utf-8"))["config"]
    return config | {
        "topic.prefix": name,
        "signal.kafka.topic": f"{name}-signal",
        "notification.sink.topic.name": f"{name}-notification",
        "heartbeat.interval.ms": "1000",
        "topic.creation.default.partitions": "2",
    } | changed  # fmt: skip


@contextmanager
def postgres_feed(database: PostgresDatabase, connect: Place) -> Iterator[Feed]:
    name = database.name
    heartbeat = "CREATE TABLE tintype_heartbeat (id int PRIMARY KEY, at timestamptz NOT NULL)"
    for statement in (ORDERS, TWO, SIGNAL, heartbeat, "ALTER TABLE orders REPLICA IDENTITY FULL"):
        database.run(statement)
    database.run(f"CREATE PUBLICATION {name} FOR TABLE orders, tintype_signal, tintype_heartbeat")
    config = settings_of("shop-postgres.json", name) | {
        "database.dbname": name, "slot.name": name, "publication.name": name,
        "table.include.list": "public.orders",
    }  # fmt: skip
    yield from _feed(database, config, "public.orders", connect)


@contextmanager
def mariadb_feed(database: MariaDatabase, connect: Place) -> Iterator[Feed]:
    name = database.name
    heartbeat = "CREATE TABLE tintype_heartbeat (id int PRIMARY KEY, at timestamp NOT NULL)"
    database.run(f"USE {name}", ORDERS, TWO, SIGNAL, heartbeat)
    config = settings_of("shop-mariadb.json", name) | {
        "database.include.list": name, "table.include.list": f"{name}.orders",
        "database.server.id": str(int(name[1:6], 16) + 1000),
        "signal.data.collection": f"{name}.tintype_signal",
        "schema.history.internal.kafka.topic": f"{name}-schemas",
    }  # fmt: skip
    config["heartbeat.action.query"] = config["heartbeat.action.query"].replace("shop.", f"{name}.")
    yield from _feed(database, config, f"{name}.orders", connect)


def _feed(database: Any, config: Config, table: str, connect: Place) -> Iterator[Feed]:
    feed = Feed(
        database,
        config,
        table,
        connect.others["kafka"].address,
        Connectors(ConnectRest(f"http://{connect.address}")),
    )
    try:
        yield feed
    finally:
        if feed.name in feed.connectors.names():
            feed.connectors.delete(feed.name)
            wait_for(lambda: feed.connectors.status(feed.name) is None, f"deleted: {feed.name}")
