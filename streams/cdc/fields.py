"""What a source wants to know of each column of a change message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from streams.contract.columns import carried_columns, file_columns, is_optional, names_customer
from streams.contract.source import Column, Rounding, Source, Wire
from streams.errors import InputError

Kind = Literal["number", "text", "bool", "time", "date"]
_KINDS: dict[str, Kind] = {
    "int": "number", "decimal": "number", "text": "text", "bool": "bool", "time": "time", "date": "date",
}  # fmt: skip
EPOCH_FORMATS = ("epoch_s", "epoch_ms", "epoch_us")
_EPOCH_WIRES = ("epoch_days", "epoch_ms", "epoch_us", "epoch_ns")
_FITTING: dict[Kind, tuple[str, ...]] = {
    "number": ("text", "number", "base64"),
    "text": ("text", "number", "base64", *_EPOCH_WIRES, "ms_of_day", "us_of_day", "ns_of_day"),
    "bool": (),
    "time": ("text", *_EPOCH_WIRES),
    "date": ("text", *_EPOCH_WIRES),
}


@dataclass(frozen=True)
class Field:
    """One column of the message: its heading, and how its value is to be read.

    scale: to which a floating-point number is rounded; None where the source declares no column of it.
    zoned: the source declares the zone of times that carry none. optional: a message may lack the column.
    names_customer: it is a reference, or the key of the row's parent.
    """

    heading: str
    kind: Kind
    scale: int | None = None
    wire: Wire | None = None
    wire_scale: int | None = None
    round: Rounding | None = None
    format: str | None = None
    zoned: bool = False
    optional: bool = False
    names_customer: bool = False


def wanted_fields(source: Source) -> tuple[Field, ...]:
    """Return one field for each column the source reads, in the order of ``file_columns``.

    Raises InputError where the declaration cannot be read or says two things of one column.
    """
    declared: dict[str, list[Field]] = {name: [] for name in file_columns(source)}
    time = source.event_time
    if time.column is not None:  # else the row's parent dates it
        declared[time.column].append(
            Field(time.column, "time", wire=time.wire, format=time.format, zoned=time.zone is not None)
        )
    factors: set[str] = set()
    for name, column in carried_columns(source).items():
        if column.product:
            factors.update(column.product)
            continue
        heading = column.source_name or name
        if heading in declared or is_optional(source, name):
            field = _of_column(heading, column)
            declared.setdefault(heading, []).append(replace(field, optional=is_optional(source, name)))
    where = f"sources/{source.name}.yaml"
    fields = tuple(_one(heading, found, heading in factors, where) for heading, found in declared.items())
    for field in fields:
        _check(field, where)
    telling = names_customer(source) - set(source.key)  # a key may be an object: MongoDB's _id
    return tuple(replace(field, names_customer=field.heading in telling) for field in fields)


def _of_column(heading: str, column: Column) -> Field:
    scale = {"decimal": column.scale, "int": 0}.get(column.type)
    return Field(
        heading, _KINDS[column.type], scale, column.wire, column.wire_scale, column.round, column.format,
        column.zone is not None,
    )  # fmt: skip


def _one(heading: str, found: list[Field], factor: bool, where: str) -> Field:
    """Return what is declared of a heading; text says nothing where another column says more."""
    telling = {field for field in found if field.kind != "text" or field.wire is not None}
    rounding = {field for field in telling if field.round is not None}
    if len(telling) > 1 and not rounding and {field.kind for field in telling} == {"number"}:
        telling = {max(telling, key=lambda field: (field.wire is not None, field.scale or 0))}
    kinds = {field.kind for field in telling}
    if kinds == {"time", "date"} and all(field.wire is None for field in telling):
        telling = {field for field in telling if field.kind == "date"}  # whose local midnight is the time
    if len(telling) > 1:
        raise InputError(
            where, f"column '{heading}' is read in two ways", "declare the same type, wire, round and zone"
        )
    if telling:
        return telling.pop()
    return Field(heading, "number" if factor else "text")


def _check(field: Field, where: str) -> None:
    named = f"column '{field.heading}'"
    if field.wire is None:
        return
    if field.wire not in _FITTING[field.kind]:
        fitting = ", ".join(_FITTING[field.kind]) or "none"
        raise InputError(where, f"{named}: wire {field.wire} does not fit its type", f"fitting: {fitting}")
    if field.wire == "base64" and field.wire_scale is None:
        raise InputError(
            where,
            f"{named}: a base64 decimal does not say its scale",
            "add wire_scale, the second number of the database's DECIMAL(p, s)",
        )
    if field.wire in _EPOCH_WIRES and field.format is not None:
        raise InputError(where, f"{named}: wire and format both say how it is written", "remove one")
    if field.kind == "time" and field.wire in _EPOCH_WIRES and not field.zoned:
        raise InputError(where, f"{named}: wire {field.wire} does not say its zone", ZONE_HINT)


ZONE_HINT = "declare zone, such as zone: Asia/Shanghai for local times, zone: UTC for moments"
