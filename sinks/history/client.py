"""A connection to a ClickHouse server, over its native protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.errors import Error, ServerException

from sinks.history.errors import Away, of_server

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0  # a server that takes longer for an insert is as good as away


@dataclass(frozen=True)
class ServerAddress:
    """Where a server is, which of its databases is ours, and as whom we come."""

    host: str
    port: int
    database: str
    user: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False
    answer_seconds: float = ANSWER_SECONDS

    @property
    def where(self) -> str:
        """How errors call it."""
        return f"history at {self.host}:{self.port}"


class ServerConnection:
    """One thread's connection: made when it is needed, and made anew after an error.

    Raises Away where the server does not answer, or refuses for now; what else it refuses, as the driver's
    ServerException.
    """

    def __init__(self, address: ServerAddress, settings: Mapping[str, Any] | None = None) -> None:
        self._address = address
        self._settings = dict(settings or {})
        self._client: Client | None = None

    def do(self, statement: str) -> None:
        """Carry a statement out."""
        self._execute(statement)

    def insert(self, into: str, columns: Sequence[Sequence[Any]], settings: Mapping[str, Any]) -> None:
        """Insert columns of Python's values. into: ``INSERT INTO table (columns)``.

        Up to a million rows go as one block and become one part, which is in or is not; no page has as many.
        """
        self._execute(f"{into} VALUES", columns, columnar=True, settings=dict(settings))

    def ask(self, question: str) -> tuple[list[str], list[str], list[Any]]:
        """Return the names, the engine's types and the values of an answer's columns."""
        columns, told = self._execute(question, columnar=True, with_column_types=True)
        return [name for name, _ in told], [kind for _, kind in told], list(columns)

    def make_database(self) -> None:
        """Make the address' database, if it is not there."""
        name = self._address.database.replace("\\", "\\\\").replace("`", "\\`")
        with self._watched():
            client = self._connect("")  # one that names the database could not be opened yet
            try:
                client.execute(f"CREATE DATABASE IF NOT EXISTS `{name}`")
            finally:
                client.disconnect()

    def version(self) -> tuple[int, int]:
        """Return the server's major and minor version."""
        major, minor = self._execute("SELECT version()")[0][0].split(".")[:2]
        return int(major), int(minor)

    def zone(self) -> str:
        """Return the time zone of the server, in which are the times that name none."""
        return str(self._execute("SELECT timezone()")[0][0])

    def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def _execute(self, *words: Any, **options: Any) -> Any:
        with self._watched():
            if self._client is None:
                self._client = self._connect(self._address.database)
            return self._client.execute(*words, **options)

    def _connect(self, database: str) -> Client:
        at = self._address
        return Client(
            at.host, at.port, database=database, user=at.user, password=at.password, secure=at.secure,
            compression="lz4", client_name="tintype", connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=at.answer_seconds, settings=self._settings,
        )  # fmt: skip

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except ServerException as error:
            self.close()
            away = of_server(self._address.where, error.code, str(error))
            raise away or error from None
        except (Error, OSError, EOFError) as error:
            self.close()
            told = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise Away(
                self._address.where, f"the server does not answer ({told})",
                "nothing is lost: what comes out waits, and goes there when it answers",
            ) from error  # fmt: skip
        except BaseException:
            self.close()  # a question cut short would leave its answer on the wire
            raise
