"""A shop's tables in a real PostgreSQL, whose rows change as a feed's do, and what comes of them in Kafka."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import psycopg

from deploy.servers.places import HOST, Place
from deploy.servers.postgres import USER
from streams.changes.topics import Topics
from streams.debezium.connectors import Config
from streams.worker.log_reader import LogReader
from tests.servers import feeds
from tests.servers.cluster import Cluster, topic_of
from tests.servers.databases import PostgresDatabase
from tests.shared.small_shop import Feed


@dataclass
class Database(Feed):
    """A shop's tables in PostgreSQL, whose rows change as a feed's do."""

    place: Place | None = None
    name: str = ""
    _waiting: list[tuple[str, list[Any]]] = field(default_factory=list)

    def _connect(self) -> psycopg.Connection[Any]:
        assert self.place is not None
        place = self.place
        return psycopg.connect(
            host=HOST, port=place.port, user=USER, password=place.password, dbname=self.name, autocommit=True
        )

    def _message(
        self, source: str, key: str, before: Mapping[str, Any] | None, row: Mapping[str, Any] | None
    ) -> None:
        if row is None:
            self._waiting.append((f"DELETE FROM {source} WHERE id = %s", [key]))
            return
        names = ", ".join(f'"{one}"' for one in row)
        news = ", ".join(f'"{one}" = excluded."{one}"' for one in row)
        marks = ", ".join(["%s"] * len(row))
        statement = (
            f"INSERT INTO {source} ({names}) VALUES ({marks}) "
            f"ON CONFLICT (id) DO UPDATE SET {news}"
        )
        self._waiting.append((statement, list(row.values())))
        self.position += 1  # the next rows are others

    def flush(self) -> None:
        """Carry out what was written, twenty changes a transaction."""
        with self._connect() as connection:
            for first in range(0, len(self._waiting), 20):
                with connection.transaction():
                    for statement, values in self._waiting[first : first + 20]:
                        connection.execute(statement.encode(), values)
        self._waiting = []

    def read(self, sources: Mapping[str, Any]) -> Feed:
        """Return a feed of the rows that are there now."""
        found = Feed(self.seed, start_ms=self.start_ms)
        with self._connect() as connection:
            for source in sources:
                cursor = connection.execute(f"SELECT * FROM {source} ORDER BY id".encode())
                names = [one.name for one in cursor.description or []]
                for row in cursor.fetchall():
                    values = dict(zip(names, row, strict=True))
                    found.put(source, values.pop("id"), **values)
        return found


def make_tables(database: PostgresDatabase, shop: Cluster) -> Config:
    """Make the shop's tables; return the settings of their connector."""
    columns = {
        "members": "phone text, city text", "orders": "member text, amount bigint, status text",
        "parcels": '"order" text, weight bigint, carrier text', "scans": "parcel text, place text",
        "views": "member text, device text, seconds bigint",
    }  # fmt: skip
    assert columns.keys() == shop.shop.sources.keys()
    for source, declared in columns.items():
        database.run(f"CREATE TABLE {source} (id text PRIMARY KEY, at bigint NOT NULL, {declared})")
        database.run(f"ALTER TABLE {source} REPLICA IDENTITY FULL")
    database.run(feeds.SIGNAL)
    database.run("CREATE TABLE tintype_heartbeat (id int PRIMARY KEY, at timestamptz NOT NULL)")
    database.run(f"CREATE PUBLICATION {database.name} FOR ALL TABLES")
    tables = ",".join(f"public.{source}" for source in columns)
    name = database.name
    return feeds.settings_of("shop-postgres.json", name) | {
        "database.dbname": name, "slot.name": name, "publication.name": name, "table.include.list": tables,
    }  # fmt: skip


def envelopes(shop: Cluster, *sources: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every change that is in the topics (of these tables alone): (table, Debezium's envelope)."""
    reader = LogReader(shop.kafka.address, Topics(shop.name))
    found = [
        (source, msgspec.json.decode(one.value))
        for source in sources or shop.shop.sources
        for one in reader.records(topic_of(shop.name, source))
        if one.value is not None
    ]
    reader.close()
    return found


def seen(shop: Cluster) -> collections.Counter[tuple[str, str, int]]:
    """Return how often each change of a row is in its topic: (table, key, place in its log)."""
    return collections.Counter(
        (source, (said["after"] or said["before"])["id"], said["source"]["lsn"])
        for source, said in envelopes(shop)
    )


def check_topics(shop: Cluster, rows: Feed) -> None:
    """What stands in the topics is what the tables came to: nothing was lost before it got there."""
    said = dict[tuple[str, str], dict[int, dict[str, Any]]]()
    for source, one in envelopes(shop):
        key = (one["after"] or one["before"])["id"]
        said.setdefault((source, key), {})[one["source"]["lsn"]] = one
    news = {row: changes[max(changes)]["after"] for row, changes in said.items()}
    found = {row: after for row, after in news.items() if after is not None}
    wanted = {(source, key): row for source, held in rows.rows.items() for key, row in held.items()}
    wrong = {row: said.get(row) for row in found.keys() | wanted.keys() if found.get(row) != wanted.get(row)}
    assert not wrong, f"Debezium said otherwise than the tables: {wrong}"


def wait_for_all(shop: Cluster, rows: Database, number: int) -> None:
    """Wait until all that was written is in the topics: its last row is."""
    key = f"last {number}"
    rows.put("views", key, member="M0", device="d", seconds=1)
    rows.flush()

    def is_there() -> bool:
        return any((said["after"] or said["before"])["id"] == key for _, said in envelopes(shop, "views"))

    shop.wait(is_there, "streamed", 600)
