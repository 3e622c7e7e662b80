"""A database of one test's own, removed with everything that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pymysql

from deploy.servers.places import HOST, Place
from deploy.servers.postgres import USER
from tests.servers.waiting import wait_for


class PostgresDatabase:
    """One database of the PostgreSQL server."""

    def __init__(self, place: Place, name: str) -> None:
        self.place, self.name = place, name

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement, or several without values, in a transaction of its own; return the rows."""
        place = self.place
        with psycopg.connect(
            host=HOST, port=place.port, user=USER, password=place.password, dbname=self.name, autocommit=True
        ) as connection:
            cursor = connection.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def drop(self) -> None:
        """Remove it with its slots; a connector that still reads one is thrown out until it stays away."""
        wait_for(self._is_dropped, f"dropped: {self.name}")

    def _is_dropped(self) -> bool:
        whole = PostgresDatabase(self.place, "postgres")
        here = f"WHERE database = '{self.name}'"
        whole.run(f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots {here} AND active")
        try:
            for (slot,) in whole.run(f"SELECT slot_name FROM pg_replication_slots {here}"):
                whole.run("SELECT pg_drop_replication_slot(%s)", slot)
            whole.run(f"DROP DATABASE {self.name} WITH (FORCE)")
        except psycopg.errors.ObjectInUse:
            return False
        return True


class MariaDatabase:
    """One database of the MariaDB server."""

    def __init__(self, place: Place, name: str) -> None:
        self.place, self.name = place, name

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements; return the rows of the last."""
        place = self.place
        connection = pymysql.connect(
            host=HOST, port=place.port, user=USER, password=place.password, autocommit=True
        )
        with closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())


@contextmanager
def postgres_database(place: Place, name: str) -> Iterator[PostgresDatabase]:
    PostgresDatabase(place, "postgres").run(f"CREATE DATABASE {name}")
    found = PostgresDatabase(place, name)
    try:
        yield found
    finally:
        found.drop()


@contextmanager
def mariadb_database(place: Place, name: str) -> Iterator[MariaDatabase]:
    found = MariaDatabase(place, name)
    found.run(f"CREATE DATABASE {name}")
    try:
        yield found
    finally:
        found.run(f"DROP DATABASE {name}")
