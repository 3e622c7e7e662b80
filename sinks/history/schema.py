"""The tables of history: which columns they have, and in which order their rows lie.

The core runs on a ClickHouse as old as 18.16 (no DateTime64, no CODEC, no window functions, nothing
experimental); the modern tier adds what newer ones have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from sinks.history.history import CHANGES, CONTROLS, EFFECTS, ROWS
from streams.errors import InputError

Tier = Literal["core", "modern"]


@dataclass(frozen=True)
class Column:
    """One column. ``alias``: an expression that is computed when it is asked for, and stored nowhere."""

    name: str
    type: str
    alias: str = ""

    def ddl(self) -> str:
        """Return the column as CREATE and ALTER want it."""
        return f"{quoted(self.name)} {self.type}" + (f" ALIAS {self.alias}" if self.alias else "")


@dataclass(frozen=True)
class Table:
    """A table or, where ``select`` is given, a view.

    ``engine`` is of MergeTree's family. ``tokens``: how many of the last inserts are known by their token
    (modern tier).
    """

    name: str
    columns: tuple[Column, ...] = ()
    order: tuple[str, ...] = ()
    index: str = ""
    select: str = ""
    engine: str = "MergeTree"
    tokens: int = 0

    def create(self, tier: Tier) -> str:
        """Return the statement that makes it."""
        if self.select:
            create = "CREATE OR REPLACE" if tier == "modern" else "CREATE"  # releases of 2018 cannot replace
            return f"{create} VIEW {quoted(self.name)} AS {self.select}"
        lines = [column.ddl() for column in self.columns]
        settings = "index_granularity = 8192"
        if tier == "modern":
            # What is said to be drained may be cut off the log: it has to be on disk.
            settings += ", fsync_after_insert = 1, fsync_part_directory = 1"
            if self.tokens:
                settings += f", non_replicated_deduplication_window = {self.tokens}"
            if self.index:
                lines.append(f"INDEX by_{self.index} {self.index} TYPE bloom_filter GRANULARITY 1")
        # Not partitioned: a page is then one part, and one part is in or is not.
        order = ", ".join(self.order)
        return (
            f"CREATE TABLE {quoted(self.name)} ({', '.join(lines)}) "
            f"ENGINE = {self.engine} ORDER BY ({order}) SETTINGS {settings}"
        )


def quoted(name: str) -> str:
    r"""Return a name as an identifier, whatever characters it has.

    >>> quoted("changes_订单"), quoted("a`b")
    ('`changes_订单`', '`a\\`b`')
    """
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def tables_for(name: str, schema: pa.Schema, zone: str, tier: Tier) -> list[Table]:
    """Return the table of this name, as rows of this Arrow schema need it, and the views over it.

    zone: in which ``at`` and ``event_time`` are shown and their days begin.
    """
    few = "LowCardinality(String)" if tier == "modern" else "String"
    stamp = [Column("partition", "Int32"), Column("step", "Int64"), Column("minute", "Int32")]
    at = Column("at", f"DateTime('{zone}')", f"toDateTime(minute * 60, '{zone}')")
    if name == EFFECTS:
        return _effects(stamp, at, few)
    if name == CONTROLS:
        columns = (*stamp, Column("mode", few), Column("kind", few), *map(_text, ("customer", "body")), at)
        return [Table(name, columns, ("kind", "minute", "customer"))]
    envelope = (*stamp, Column("mode", few), Column("op", few), _text("customer"), *_numbers(), at,
                Column("reference", "Nullable(String)"), _event_time(zone, tier))  # fmt: skip
    stored = {column.name for column in envelope if not column.alias}
    own = {field.name: _declared_type(field) for field in schema if field.name not in stored}
    kept = [column for column in envelope if column.name not in own]  # the shop's own 'at' goes first
    columns = (*kept, *(Column(name, kind) for name, kind in own.items()))
    return [Table(name, columns, ("customer", "event_us", "step")), _rows_view(name, list(own))]


def _text(name: str) -> Column:
    return Column(name, "String")


def _numbers() -> list[Column]:
    names = {"key_high": 64, "key_low": 64, "epoch": 32, "position": 64, "offset": 64, "event_us": 64}
    return [Column(name, f"Int{bits}") for name, bits in names.items()]


def _event_time(zone: str, tier: Tier) -> Column:
    if tier == "modern":
        return Column(
            "event_time", f"DateTime64(6, '{zone}')", f"fromUnixTimestamp64Micro(event_us, '{zone}')"
        )
    return Column("event_time", f"DateTime('{zone}')", f"toDateTime(intDiv(event_us, 1000000), '{zone}')")


def _declared_type(field: pa.Field) -> str:
    """Return the type of a declared column, which may always be absent."""
    if pa.types.is_integer(field.type):
        return "Nullable(Int64)"
    if pa.types.is_string(field.type) or pa.types.is_binary(field.type):
        return "Nullable(String)"
    raise TypeError(f"a column of a block has the type {field.type}")


def _effects(stamp: list[Column], at: Column, few: str) -> list[Table]:
    """Transitions and decisions lie in one table, so that what came out together is in together."""
    columns = (
        stamp[0], Column("seq", "Int64"), *stamp[1:], Column("kind", few), Column("what", few),
        _text("customer"), *(Column(name, few) for name in ("change", "mode")),
        *(Column(name, "Nullable(String)") for name in ("before", "after")), _text("id"),
        *(Column(name, few) for name in ("version", "outcome", "guard", "status")),
        *map(_text, ("cause", "figures", "values")), at,
    )  # fmt: skip
    shared = "SELECT partition, seq, step, minute, at, customer, "
    transitions = f"{shared}what, change, mode, before, after, values FROM effects WHERE kind = 'transition'"
    decisions = (
        f"{shared}id, what AS trigger, version, outcome, guard, status, cause, figures, values "
        "FROM effects WHERE kind = 'decision'"
    )
    return [
        Table(EFFECTS, columns, ("kind", "what", "minute", "customer"), index="customer"),
        Table("transitions", select=transitions),
        Table("decisions", select=decisions),
    ]


def _rows_view(changes: str, own: list[str]) -> Table:
    """The newest change of each key is the row's state (semantics W1); a move's first half is none."""
    names = ("partition", "step", "customer", "key_high", "key_low", "reference", "event_time", *own)
    shown = ", ".join(map(quoted, dict.fromkeys(names)))
    select = (
        f"SELECT {shown} FROM (SELECT {shown}, op FROM {quoted(changes)} WHERE op != 'move out' "
        "ORDER BY epoch DESC, position DESC, offset DESC, minute DESC, step DESC LIMIT 1 BY key_high, key_low"
        ") WHERE op != 'delete'"
    )
    columns = tuple(Column(name, "") for name in dict.fromkeys(names))  # of the types that they have there
    return Table(ROWS + changes.removeprefix(CHANGES), columns, select=select)


def with_held(schema: pa.Schema, held: Mapping[str, str]) -> pa.Schema:
    """Add to the schema of new rows the declared columns that the table (name to type) has besides."""
    kinds = {"Nullable(Int64)": pa.int64(), "Nullable(String)": pa.utf8()}
    more = [pa.field(name, kinds[kind]) for name, kind in held.items() if kind in kinds]
    return pa.schema([*schema, *(field for field in more if field.name not in schema.names)])


def changes_of(wanted: Table, held: Mapping[str, str]) -> list[str]:
    """Return the statements that bring a table from the columns held (name to type) to those wanted.

    Raises InputError if a stored column has become of another type.
    """
    statements = []
    for column in wanted.columns:
        have = held.get(column.name)
        if have is None:
            statements.append(f"ALTER TABLE {quoted(wanted.name)} ADD COLUMN {column.ddl()}")
        elif have != column.type and column.alias:  # the shop has moved to another zone
            statements.append(f"ALTER TABLE {quoted(wanted.name)} MODIFY COLUMN {column.ddl()}")
        elif have != column.type:
            raise InputError(
                f"history, table {wanted.name}",
                f"column '{column.name}' holds {have}, and new rows have {column.type}",
                "give the column another name in sources/*.yaml",
            )
    return statements
