"""The real servers, started by the first test that needs one and shared by all processes of the run."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from deploy.servers.connect import variables
from deploy.servers.places import HOST, Place
from tests.servers.databases import MariaDatabase, PostgresDatabase, mariadb_database, postgres_database
from tests.servers.feeds import Feed, mariadb_feed, postgres_feed
from tests.servers.started import server


@pytest.fixture(scope="session")
def kafka() -> Place:
    return server("kafka")


@pytest.fixture(scope="session")
def connect() -> Place:
    return server("connect")


@pytest.fixture(scope="session")
def postgres() -> Place:
    return server("postgres")


@pytest.fixture(scope="session")
def mariadb() -> Place:
    return server("mariadb")


@pytest.fixture(scope="session")
def clickhouse() -> Place:
    return server("clickhouse")


@pytest.fixture(scope="session", params=["redis", "valkey"])
def store(request: pytest.FixtureRequest) -> Place:
    return server(request.param)


@pytest.fixture(scope="session")
def redis_server() -> Place:
    return server("redis")


@pytest.fixture
def name() -> str:
    """A name of this test's own, for topics, databases, slots and groups."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def environment(connect: Place) -> dict[str, str]:
    """The variables that connector files name."""
    return variables(connect.others)


@pytest.fixture
def free_address() -> str:
    """Where nothing listens."""
    with socket.create_server((HOST, 0)) as free:
        return f"{HOST}:{free.getsockname()[1]}"


@pytest.fixture
def topic(kafka: Place, name: str) -> str:
    """A topic of one partition."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    admin.close()
    return name


@pytest.fixture
def postgres_shop(postgres: Place, name: str) -> Iterator[PostgresDatabase]:
    with postgres_database(postgres, name) as found:
        yield found


@pytest.fixture
def mariadb_shop(mariadb: Place, name: str) -> Iterator[MariaDatabase]:
    with mariadb_database(mariadb, name) as found:
        yield found


@pytest.fixture
def postgres_orders(postgres_shop: PostgresDatabase, connect: Place) -> Iterator[Feed]:
    """A table of two orders in PostgreSQL and the settings of a connector for it, not applied yet."""
    with postgres_feed(postgres_shop, connect) as feed:
        yield feed


@pytest.fixture
def mariadb_orders(mariadb_shop: MariaDatabase, connect: Place) -> Iterator[Feed]:
    """The same in MariaDB."""
    with mariadb_feed(mariadb_shop, connect) as feed:
        yield feed
