"""The tables of history on a server, where an insert may be on its way twice.

Rows are kept in ``kept_NAME``, a table in which equal rows become one when its parts are merged; what is
asked is the view NAME over it, which reads as if they were merged already (FINAL). So a row counts once,
however often it was delivered and by whom (docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from sinks.history.history import sequence_of
from sinks.history.schema import Column, Table, Tier, quoted, tables_for

KEPT = "kept_"
TOKENS = 1000  # inserts: of an hour, one table of a relay each five seconds has 720


@dataclass(frozen=True)
class ServerTables:
    """Where a table's rows are kept, and the views by which they are asked, each behind those it reads."""

    kept: Table
    views: tuple[Table, ...]


def server_tables(name: str, schema: pa.Schema, zone: str, tier: Tier) -> ServerTables:
    """Return what history's table of this name needs; see `tables_for`."""
    plain, *views = tables_for(name, schema, zone, tier)
    stored = tuple(column for column in plain.columns if not column.alias)
    place = tuple(one for one in ("partition", sequence_of(name)) if one not in plain.order)
    kept = replace(
        plain, name=KEPT + name, columns=stored, order=plain.order + place, engine="ReplacingMergeTree",
        tokens=TOKENS,
    )  # fmt: skip
    return ServerTables(kept, (_merged(plain), *views))


def _merged(plain: Table) -> Table:
    """Return the view that shows each row once, with the computed columns behind the others."""
    ordered = sorted(plain.columns, key=lambda column: bool(column.alias))
    shown = ", ".join(
        f"{column.alias} AS {quoted(column.name)}" if column.alias else quoted(column.name)
        for column in ordered
    )
    select = f"SELECT {shown} FROM {quoted(KEPT + plain.name)} FINAL"
    columns = tuple(Column(column.name, column.type) for column in ordered)
    return Table(plain.name, columns, select=select)


def is_as_wanted(view: Table, held: Mapping[str, str]) -> bool:
    """Say whether the view with the columns held (name to type) is there and has what it should."""
    return bool(held) and all(
        column.name in held and column.type in ("", held[column.name]) for column in view.columns
    )


def tier_of(held: Mapping[str, str]) -> Tier:
    """Return the tier in which a table with these columns (name to type) was made: a server may be newer."""
    return "modern" if "LowCardinality(String)" in held.values() else "core"
