"""The measured shop's tables in a real PostgreSQL, and Debezium, which carries changes into its topics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from kafka import KafkaConsumer, TopicPartition
from psycopg.sql import SQL, Identifier

from bench.cluster.cluster import Cluster
from bench.cluster.rows import Row
from deploy.servers.places import DEPLOY, HOST, Place
from deploy.servers.postgres import USER
from streams.debezium.apply import apply
from streams.debezium.connectors import Connectors
from streams.debezium.files import ConnectorFile, read_file
from streams.debezium.rest import ConnectRest

TABLES = {
    "orders": "amount numeric(12,2), category text, status text, channel text, city text",
    "refunds": "amount numeric(12,2), order_id bigint, reason text",
    "tickets": "score bigint, order_id bigint, topic text",
    "views": "category text, seconds bigint, page text, device text, session text",
}  # fmt: skip
_FIRST, _LAST = "id bigint PRIMARY KEY, member_id text", "note text, at timestamptz NOT NULL"
_SIGNAL = "tintype_signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))"
_HEARTBEAT = "tintype_heartbeat (id int PRIMARY KEY, at timestamptz NOT NULL)"
_MANY = 5_000  # rows of one statement
_ORDER = {"c": 0, "u": 1, "d": 2}


class Lines:
    """Change messages as statements: those of one part and table together, inserts before updates and
    deletes (no key comes back). Of several updates of a row in one part one is carried out."""

    def __init__(self) -> None:
        self._by: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)

    def add(self, row: Row) -> None:
        """Take a message in."""
        said = msgspec.json.decode(row.value)
        self._by[_ORDER[said["op"]], row.source].append(said["after"] or said["before"])

    def statements(self) -> Iterator[tuple[SQL | Any, str]]:
        """Yield statements, each with its rows as JSON."""
        for (kind, table), found in sorted(self._by.items(), key=lambda one: one[0]):
            for at in range(0, len(found), _MANY):
                text = msgspec.json.encode(found[at : at + _MANY]).decode()
                yield _statement(kind, table), text


def _statement(kind: int, table: str) -> Any:
    name, rows = Identifier(table), SQL("jsonb_populate_recordset(NULL::{}, %s)").format(Identifier(table))
    if kind == _ORDER["c"]:
        return SQL("INSERT INTO {} SELECT * FROM {}").format(name, rows)
    if kind == _ORDER["d"]:
        return SQL("DELETE FROM {} t USING {} r WHERE t.id = r.id").format(name, rows)
    columns = [one.split()[0] for one in f"member_id text, {TABLES[table]}, {_LAST}".split(", ")]
    news = SQL(", ").join(SQL("{0} = r.{0}").format(Identifier(one)) for one in columns)
    return SQL("UPDATE {} t SET {} FROM {} r WHERE t.id = r.id").format(name, news, rows)


@dataclass
class Tables:
    """Rows of a database, each part of them a transaction. A `bench.cluster.ways.Way`; use `shop_tables`."""

    made: Cluster
    connection: psycopg.Connection[Any]
    carry: Callable[[], None]  # begin to carry changes, with a snapshot of what is there
    name: str = "in PostgreSQL"
    carried: int = 0  # messages that the topics have, or will

    def fill(self, rows: Sequence[Row]) -> None:
        self._write(list(rows))
        self.carry()
        self._wait()

    def parts(self, rows: Sequence[Row]) -> list[list[Row]]:
        return [list(rows)]

    @contextmanager
    def writing(self) -> Iterator[Callable[[list[Row]], None]]:
        yield self._write
        self._wait()

    def _write(self, rows: list[Row]) -> None:
        lines = Lines()
        for row in rows:
            lines.add(row)
        with self.connection.pipeline(), self.connection.transaction():  # one way there and back
            done = [self.connection.execute(statement, [text]) for statement, text in lines.statements()]
        self.carried += sum(one.rowcount for one in done)

    def _wait(self) -> None:
        """Wait until all that was written is in the topics; let the cluster know."""
        consumer = KafkaConsumer(bootstrap_servers=self.made.kafka.address)
        try:
            parts = [
                TopicPartition(self.made.topic(table), one)
                for table in TABLES
                for one in range(self.made.partitions)
            ]

            def is_carried() -> bool:
                ends: dict[TopicPartition, int] = consumer.end_offsets(parts)
                self.made.note_ends(ends)
                return sum(ends.values()) >= self.carried

            self.made.wait(is_carried, "all rows are in their topics")
        finally:
            consumer.close()


@contextmanager
def shop_tables(made: Cluster, postgres: Place, connect: Place) -> Iterator[Tables]:
    """Make the tables in a database of their own; remove it afterwards, and its connector."""
    name = made.name
    with _connected(postgres, "postgres") as whole:
        whole.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        connectors = Connectors(ConnectRest(f"http://{connect.address}"))
        file = _file(name, made.partitions)
        try:
            with _connected(postgres, name) as connection:
                _make(connection, name)
                for way in ("hashjoin", "mergejoin", "seqscan"):  # a few rows, by their keys
                    connection.execute(f"SET enable_{way} = off".encode())

                def carry() -> None:
                    apply(connectors, file, made.kafka.address)
                    made.wait(lambda: _is_running(connectors, file.name), "the connector runs")

                yield Tables(made, connection, carry)
        finally:
            if file.name in connectors.names():
                connectors.delete(file.name)
            made.wait(lambda: _dropped(whole, name), "the database is dropped")


def _connected(postgres: Place, database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=HOST, port=postgres.port, user=USER, password=postgres.password, dbname=database,
        autocommit=True,
    )  # fmt: skip


def _make(connection: psycopg.Connection[Any], name: str) -> None:
    for table, columns in TABLES.items():
        said = f"CREATE TABLE {table} ({_FIRST}, {columns}, {_LAST})"
        connection.execute(said.encode())
        connection.execute(f"ALTER TABLE {table} REPLICA IDENTITY FULL".encode())
    for one in (_SIGNAL, _HEARTBEAT):
        connection.execute(f"CREATE TABLE {one}".encode())
    connection.execute(SQL("CREATE PUBLICATION {} FOR ALL TABLES").format(Identifier(name)))


def _file(name: str, partitions: int) -> ConnectorFile:
    """Return the shop's connector as users get it, under the measurement's names, with topics as its shop
    declares them; without tombstones, so that each change is one message."""
    shipped = read_file(DEPLOY / "connectors" / "shop-postgres.json")
    more = {
        "database.dbname": name, "slot.name": name, "publication.name": name, "topic.prefix": name,
        "table.include.list": ",".join(f"public.{one}" for one in TABLES),
        "signal.kafka.topic": f"{name}-signal", "notification.sink.topic.name": f"{name}-notification",
        "tombstones.on.delete": "false", "topic.creation.default.partitions": str(partitions),
        "transforms": "short", "transforms.short.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.short.regex": r"(.*)\.public\.(.*)", "transforms.short.replacement": "$1.$2",
    }  # fmt: skip
    return ConnectorFile(shipped.where, name, shipped.config | more)


def _is_running(connectors: Connectors, name: str) -> bool:
    status = connectors.status(name)
    if status is not None and status.failures:
        raise RuntimeError(f"connector {name}: {status.failures[0]}")
    return status is not None and status.running


def _dropped(whole: psycopg.Connection[Any], name: str) -> bool:
    """Drop the database with its slot, once nobody reads it any more."""
    whole.execute(
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active",
        [name],
    )
    try:
        whole.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            [name],
        )
        whole.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
    except psycopg.errors.ObjectInUse:
        return False
    return True
