"""History on a ClickHouse server, which several processes may write to and ask.

Tables come in two tiers. The core runs on a server as old as 18.16; a newer one gets what it has besides:
times with microseconds, coded texts, an index for customers, parts synced to disk, tokens of inserts.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
from clickhouse_driver.errors import ServerException

from sinks.history.answer import as_table
from sinks.history.client import ServerAddress, ServerConnection
from sinks.history.errors import SetBack, of_question
from sinks.history.fresh import end_of, fresh_of
from sinks.history.history import CONTROLS, EFFECTS, Page, sequence_of
from sinks.history.parameters import with_values
from sinks.history.question import has_types, reading
from sinks.history.schema import Tier, changes_of, quoted, with_held
from sinks.history.server_tables import KEPT, is_as_wanted, server_tables, tier_of

MODERN = (23, 8)  # the oldest with all that the modern tier uses, and long supported
# Somebody else makes the same: a column or table is there already, or just went, or a view lacks one yet.
_AS_ANOTHER_MADE_IT = {15, 44, 47, 57, 60, 218}
_GONE = {60, 81}  # a table, a database
_TRIES = 20


class ServerHistory:
    """A `History` on a server. ``zone``: the shop's. It connects when it is first used.

    Each relay has one of its own; several may write to one database, each other partitions. Raises
    `sinks.history.errors.Away` while the server does not answer or takes nothing.
    """

    def __init__(self, address: ServerAddress, zone: str = "UTC", tier: Tier | None = None) -> None:
        self._address = address
        self._zone = zone
        self._tier = tier
        self._ready: dict[str, pa.Schema] = {}
        self._last: dict[str, dict[int, int]] = {}
        self._before: dict[str, dict[int, int]] = {}  # what was in when an error came
        self._writer = ServerConnection(address)
        self._reader = ServerConnection(address, {"readonly": 1})
        self._server_zone = ""
        self._writing = threading.Lock()

    def write(self, table: str, pages: Sequence[Page]) -> None:
        """See `History.write`. Raises SetBack if the server has lost what this one had written."""
        with self._doubting():
            tier = self._begun()
            if table not in self._last:
                self._last[table] = self._found_again(table)
            fresh = fresh_of(table, pages, self._last[table])
            if not fresh:
                return
            rows = pa.concat_tables([page.table for page in fresh], promote_options="default")
            self._prepare(table, rows.schema)
            names = ", ".join(map(quoted, rows.column_names))
            into = f"INSERT INTO {quoted(KEPT + table)} ({names})"
            columns = [column.to_pylist() for column in rows.columns]
            self._writer.insert(into, columns, _settings(fresh) if tier == "modern" else {})
        for page in fresh:
            self._last[table][page.partition] = end_of(table, page)

    def drained(self, table: str) -> dict[int, int]:
        """See `History.drained`."""
        with self._doubting():
            self._begun()
            found = self._drained(table)
            self._before.pop(table, None)  # whoever asks goes by the answer
            return found

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, most: int | None = None
    ) -> pa.Table:
        """See `History.query`."""
        text = with_values(reading(sql), parameters or {})
        if most is not None and has_types(text):
            text = f"SELECT * FROM (\n{text}\n) LIMIT {most}"
        try:
            return self._answer(text).slice(0, most)
        except ServerException as error:
            if error.code not in _GONE or CONTROLS in self._ready:
                raise of_question(str(error)) from None
        try:  # asked before the first row
            with self._doubting():
                self._begun()
            return self._answer(text).slice(0, most)
        except ServerException as error:
            raise of_question(str(error)) from None

    def close(self) -> None:
        """See `History.close`."""
        self._reader.close()
        self._writer.close()

    def _answer(self, text: str) -> pa.Table:
        if not self._server_zone:
            self._server_zone = self._reader.zone()
        return as_table(*self._reader.ask(text), self._server_zone)

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """One at a time; after an error believe nothing that was known: what is in, and the tables."""
        with self._writing:
            try:
                yield
            except BaseException as error:
                for table, last in self._last.items():
                    self._before.setdefault(table, {}).update(last)
                self._last.clear()
                self._ready.clear()
                gone = isinstance(error, ServerException) and error.code in _GONE
                if gone or isinstance(error, SetBack):
                    self._before.clear()  # whoever writes begins anew, in all tables
                if gone:
                    raise self._set_back("the database or a table is gone") from None
                raise

    def _set_back(self, told: str) -> SetBack:
        return SetBack(
            self._address.where, f"{told}: the server has lost what it had",
            "what is in the log and the outbox is copied again",
        )  # fmt: skip

    def _found_again(self, table: str) -> dict[int, int]:
        found = self._drained(table)
        for partition, last in self._before.pop(table, {}).items():
            if found.get(partition, -1) < last:
                now = found.get(partition, -1)
                raise self._set_back(f"partition {partition} of {table} ended at {last} and ends at {now}")
        return found

    def _begun(self) -> Tier:
        """Make the database and the tables that questions name before their first row; return the tier."""
        if CONTROLS not in self._ready:
            self._writer.make_database()
            held = self._columns(KEPT + CONTROLS)
            if held:
                self._tier = tier_of(held)
            elif self._tier is None:
                self._tier = "modern" if self._writer.version() >= MODERN else "core"
            for table in (CONTROLS, EFFECTS):
                self._prepare(table, pa.schema([]))
        assert self._tier is not None
        return self._tier

    def _drained(self, table: str) -> dict[int, int]:
        kept = KEPT + table
        if not self._columns(kept):
            return {}
        last = f"SELECT partition, max({sequence_of(table)}) FROM {quoted(kept)} GROUP BY partition"
        columns = self._writer.ask(last)[2]
        return dict(zip(*columns, strict=True)) if columns else {}

    def _prepare(self, table: str, schema: pa.Schema) -> None:
        """Make the table, or add the columns that it lacks, and its views; others may be at the same.

        It looks once more at what it made: somebody who knew of fewer columns may have made a view last.
        """
        if self._ready.get(table) == schema:
            return
        for attempt in range(1, _TRIES + 1):
            try:
                if not self._make(table, schema):
                    break
            except ServerException as error:
                if error.code not in _AS_ANOTHER_MADE_IT or attempt == _TRIES:
                    raise
                time.sleep(secrets.randbelow(20 * attempt) / 1000)  # not all again at the same moment
        self._ready[table] = schema

    def _make(self, table: str, schema: pa.Schema) -> bool:
        """Make what is not there; return whether there was anything."""
        assert self._tier is not None
        held = self._columns(KEPT + table)
        tables = server_tables(table, with_held(schema, held), self._zone, self._tier)
        statements = changes_of(tables.kept, held) if held else [tables.kept.create(self._tier)]
        for view in tables.views:
            # A view over a view has the types that the other had when it was made.
            if len(statements) > 1 or not is_as_wanted(view, self._columns(view.name)):
                statements += [f"DROP TABLE IF EXISTS {quoted(view.name)}", view.create(self._tier)]
        for statement in statements:
            self._writer.do(statement)
        return bool(statements)

    def _columns(self, table: str) -> dict[str, str]:
        question = with_values(
            "SELECT name, type FROM system.columns "
            "WHERE database = currentDatabase() AND table = {table:String}",
            {"table": table},
        )
        columns = self._writer.ask(question)[2]
        return dict(zip(*columns, strict=True)) if columns else {}


def _settings(pages: Sequence[Page]) -> dict[str, object]:
    """Return the settings of an insert: what it is known by, should it come twice."""
    token = ",".join(f"{page.partition}:{page.first}-{page.last}" for page in pages)
    return {"insert_deduplicate": 1, "insert_deduplication_token": token, "async_insert": 0}
