"""The database that a connector reads, opened with the connector's own settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pymysql

from streams.debezium.files import ConnectorFile
from streams.errors import InputError

CONNECT_S = 10
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*")


class Database:
    """An open connection; every statement is a transaction of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask; return the rows. ``%s`` in the SQL stands for a value."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def insert_signal(self, table: str, key: str, kind: str, data: str) -> None:
        """Write one row of a signal table."""
        if not NAME.fullmatch(table):
            raise InputError(table, "is no name of a table", "correct signal.data.collection")
        with self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} (id, type, data) VALUES (%s, %s, %s)", (key, kind, data))  # noqa: S608 - a checked name


@contextmanager
def open_database(file: ConnectorFile, environment: Mapping[str, str]) -> Iterator[Database]:
    """Connect as the connector does. Raises InputError where a variable is missing or it is refused."""
    config = file.resolved(environment)
    try:
        connection = _postgres(config) if file.is_postgres else _mariadb(file, config)
    except (psycopg.OperationalError, pymysql.OperationalError) as error:
        reason = str(error).strip().replace("\n", " ")
        raise InputError(
            file.where, f"its database does not let us in ({reason})", "start it, or correct the file"
        ) from None
    with closing(connection):
        try:
            yield Database(connection)
        except (psycopg.Error, pymysql.MySQLError) as error:
            raise InputError(
                file.where, f"its database refuses ({str(error).strip()})", "correct it there"
            ) from error


def _postgres(config: dict[str, str]) -> Any:
    return psycopg.connect(
        host=config["database.hostname"], port=int(config.get("database.port", "5432")),
        user=config["database.user"], password=config["database.password"], dbname=config["database.dbname"],
        autocommit=True, connect_timeout=CONNECT_S,
    )  # fmt: skip


def _mariadb(file: ConnectorFile, config: dict[str, str]) -> Any:
    if not file.is_mariadb:
        raise InputError(
            file.where, "its database is neither PostgreSQL nor MariaDB", "use the database's own tools"
        )
    return pymysql.connect(
        host=config["database.hostname"], port=int(config.get("database.port", "3306")),
        user=config["database.user"], password=config["database.password"],
        autocommit=True, connect_timeout=CONNECT_S,
    )  # fmt: skip
