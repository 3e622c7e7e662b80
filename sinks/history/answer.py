"""Answers of a server as Arrow tables."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

_WRAPPED = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$")
_TIME = re.compile(r"^DateTime(?:64\((\d+)(?:, ?'([^']+)')?\)|\('([^']+)'\))?$")
_PLAIN = {
    **{f"Int{bits}": pa.from_numpy_dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": pa.from_numpy_dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    "Float32": pa.float32(), "Float64": pa.float64(), "String": pa.utf8(), "Date": pa.date32(),
    "Bool": pa.bool_(), "Nothing": pa.null(),
}  # fmt: skip


def as_table(names: Sequence[str], types: Sequence[str], columns: Sequence[Any], zone: str) -> pa.Table:
    """Return columns of Python's values as a table; times are timestamps of their zone.

    types: the engine's, of each column; columns: empty where there are no rows; zone: the server's, of times
    that name none.
    """
    held = columns or [[]] * len(names)
    arrays = [_array(list(values), kind, zone) for values, kind in zip(held, types, strict=True)]
    return pa.Table.from_arrays(arrays, names=list(names))


def _array(values: list[Any], kind: str, zone: str) -> pa.Array:
    while found := _WRAPPED.match(kind):
        kind = found[1]
    if kind in _PLAIN:
        return pa.array(values, _PLAIN[kind])
    if time := _TIME.match(kind):
        own = time[2] or time[3] or zone
        unit = "s" if time[1] in (None, "0") else "ms" if int(time[1]) <= 3 else "us"
        return pa.array([_aware(value, own) for value in values], pa.timestamp(unit, own))
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):  # a kind that Arrow lacks
        return pa.array([None if value is None else str(value) for value in values], pa.utf8())


def _aware(value: dt.datetime | None, zone: str) -> dt.datetime | None:
    if value is None or value.tzinfo is not None:
        return value
    return value.replace(tzinfo=ZoneInfo(zone))
