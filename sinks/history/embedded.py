"""History in ClickHouse's engine inside this process (chdb): a folder, and no server.

One process at a time can have a folder open, and a process one folder.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from sinks.history.connection import Connection, check_free
from sinks.history.errors import of_question, of_writing
from sinks.history.fresh import fresh_of
from sinks.history.history import CONTROLS, EFFECTS, Page, sequence_of
from sinks.history.question import has_types, reading, with_times
from sinks.history.schema import Tier, changes_of, quoted, tables_for, with_held

DATABASE = "history"
# A page has to become one part, because only a part is in or not. Blocks of the source are gathered until
# one of these is reached, and no page is as large.
_ONE_PART = (
    "max_threads = 1, max_insert_threads = 1, async_insert = 0, "
    "min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0"
)


class ChdbHistory:
    """A `History` in a folder. ``zone``: the shop's, in which times are shown and days begin."""

    def __init__(self, folder: Path, zone: str = "UTC", tier: Tier = "modern") -> None:
        self.folder = folder
        self._zone = zone
        self._tier = tier
        self._ready: dict[str, pa.Schema] = {}
        self._last: dict[str, dict[int, int]] = {}
        self._asking = threading.Lock()  # one question at a time goes through a connection
        check_free(folder)
        self._writer = Connection(folder)
        self._writer.do(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
        self._reader = Connection(folder, f"readonly=1&session_timezone={zone}")
        for connection in (self._writer, self._reader):
            connection.use(DATABASE)
        for table in (CONTROLS, EFFECTS):  # so that questions find them before their first row
            self._prepare(table, pa.schema([]))

    def write(self, table: str, pages: Sequence[Page]) -> None:
        """See `History.write`. Exact without tokens: what is in is read from the data, by one writer."""
        fresh = self._fresh(table, pages)
        if not fresh:
            return
        rows = pa.concat_tables([page.table for page in fresh], promote_options="default").combine_chunks()
        self._prepare(table, rows.schema)
        names = ", ".join(map(quoted, rows.column_names))
        into = f"INSERT INTO {quoted(table)} ({names})"
        try:
            with _mendable(self.folder):
                # The engine finds the variable `rows` by its name, in this function.
                self._writer.do(f"{into} SELECT {names} FROM Python(rows) SETTINGS {_ONE_PART}")
        except BaseException:
            self._last.pop(table, None)  # perhaps in, perhaps not: the data will say
            raise
        for page in fresh:
            self._last[table][page.partition] = page.last

    def drained(self, table: str) -> dict[int, int]:
        """See `History.drained`."""
        if not self._columns(table):
            return {}
        last = f"SELECT partition, max({sequence_of(table)}) AS last"
        found = self._writer.ask(f"{last} FROM {quoted(table)} GROUP BY partition")
        return dict(zip(found["partition"].to_pylist(), found["last"].to_pylist(), strict=True))

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, most: int | None = None
    ) -> pa.Table:
        """See `History.query`. Columns of type DateTime are timestamps[s] of their zone."""
        text, given = reading(sql), parameters or {}
        try:
            with self._asking:
                if not has_types(text):
                    return self._reader.ask(text, given).slice(0, most)
                told = self._reader.ask(f"DESCRIBE TABLE (\n{text}\n)", given)
                # Asked for its first rows in this way, the engine stops where it has them, and keeps the
                # order.
                limited = text if most is None else f"SELECT * FROM (\n{text}\n) LIMIT {most}"
                answer = self._reader.ask(limited, given)
        except RuntimeError as error:
            raise of_question(str(error)) from None
        return with_times(answer, told["type"].to_pylist(), self._zone)

    def close(self) -> None:
        """See `History.close`."""
        self._reader.close()
        self._writer.close()

    def _fresh(self, table: str, pages: Sequence[Page]) -> list[Page]:
        """Return of the pages what is not in yet."""
        if table not in self._last:
            self._last[table] = self.drained(table)
        return fresh_of(table, pages, self._last[table])

    def _prepare(self, table: str, schema: pa.Schema) -> None:
        """Make the table, or add the columns that it lacks; make its views anew then."""
        if self._ready.get(table) == schema:
            return
        held = self._columns(table)
        wanted, *views = tables_for(table, with_held(schema, held), self._zone, self._tier)
        for statement in changes_of(wanted, held) if held else [wanted.create(self._tier)]:
            self._make(statement)
        for view in views:
            if self._tier == "core":
                self._make(f"DROP VIEW IF EXISTS {quoted(view.name)}")
            self._make(view.create(self._tier))  # else in place of the former: a question meanwhile finds one
        self._ready[table] = schema

    def _make(self, statement: str) -> None:
        with _mendable(self.folder):
            self._writer.do(statement)

    def _columns(self, table: str) -> dict[str, str]:
        found = self._writer.ask(
            "SELECT name, type FROM system.columns "
            "WHERE database = currentDatabase() AND table = {table:String} ORDER BY position",
            {"table": table},
        )
        return dict(zip(found["name"].to_pylist(), found["type"].to_pylist(), strict=True))


@contextmanager
def _mendable(folder: Path) -> Iterator[None]:
    """Turn the engine's errors into such as say what to do, where the user can do something."""
    try:
        yield
    except RuntimeError as error:  # chdb's own errors are such, too
        theirs = of_writing(str(folder), str(error))
        if theirs is None:
            raise
        raise theirs from None
