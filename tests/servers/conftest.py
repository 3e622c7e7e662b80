"""The real servers, started by the first test that needs one and shared by all processes of the run.

A server that cannot run here skips the test with the line that brings it; under CI=true it fails the test.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from deploy.servers import keeper
from deploy.servers.connect import variables
from deploy.servers.jars import FetchError
from deploy.servers.places import HOST, Place
from tests.servers.databases import MariaDatabase, PostgresDatabase, mariadb_database, postgres_database
from tests.servers.feeds import Feed, mariadb_feed, postgres_feed
from tests.servers.owner import owner


def _server(name: str) -> Place:
    lacking = keeper.missing([name])
    said = "; ".join(f"{one} is not here: {command}" for one, command in lacking.items())
    try:
        if not said:
            return keeper.start([name], owner())[name]
    except FetchError as error:
        said = f"{error}; `make servers` fetches it"
    if os.environ.get("CI") == "true":
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture(scope="session")
def kafka() -> Place:
    return _server("kafka")


@pytest.fixture(scope="session")
def connect() -> Place:
    return _server("connect")


@pytest.fixture(scope="session")
def postgres() -> Place:
    return _server("postgres")


@pytest.fixture(scope="session")
def mariadb() -> Place:
    return _server("mariadb")


@pytest.fixture(scope="session")
def clickhouse() -> Place:
    return _server("clickhouse")


@pytest.fixture(scope="session", params=["redis", "valkey"])
def store(request: pytest.FixtureRequest) -> Place:
    return _server(request.param)


@pytest.fixture(scope="session")
def redis_server() -> Place:
    return _server("redis")


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
