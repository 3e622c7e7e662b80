"""Questions to history: only such as read, and times of the answer as times."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from streams.errors import InputError

_GAP = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
_READS = re.compile(rf"^{_GAP}*\(*{_GAP}*(select|with|show|describe|desc|explain|exists)\b", re.I | re.S)
_HAS_TYPES = re.compile(rf"^{_GAP}*\(*{_GAP}*(select|with)\b", re.I | re.S)
_TO_FILE = re.compile(rf"\binto{_GAP}+outfile\b", re.I | re.S)
_TIME = re.compile(r"^(?:Nullable\()?DateTime(?:\('([^']+)'\))?\)?$")


def reading(sql: str) -> str:
    """Return the question without a closing semicolon.

    Raises InputError if it is none: the engine refuses to change data by itself, this refuses the rest.
    """
    text = sql.strip().rstrip(";").rstrip()
    if not _READS.match(text):
        raise InputError("question", "it does not read", "begin it with SELECT, WITH, SHOW or DESCRIBE")
    if _TO_FILE.search(text):
        raise InputError(
            "question", "INTO OUTFILE would write a file", "leave it away; --csv and --json write to stdout"
        )
    return text


def has_types(sql: str) -> bool:
    """Say whether the engine can describe the answer beforehand."""
    return _HAS_TYPES.match(sql) is not None


def with_times(table: pa.Table, types: Sequence[str], zone: str) -> pa.Table:
    """Return the answer with its DateTime columns, which arrive as numbers, as timestamps[s].

    types: the engine's, of each column; zone: of those that name none.
    """
    columns = []
    for column, kind in zip(table.columns, types, strict=True):
        found = _TIME.match(kind)
        if found and pa.types.is_integer(column.type):
            column = column.cast(pa.int64()).cast(pa.timestamp("s", found[1] or zone))
        columns.append(column)
    return pa.Table.from_arrays(columns, names=table.column_names)
