"""Readers of values whose type is not in the message: by declaration, and by what JSON shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.cdc.decimals import WIRE_HINT, from_base64, from_digits, from_struct, rounded
from streams.cdc.fields import Field
from streams.cdc.moments import (
    check_zone,
    date_text,
    local_text,
    number_as_time,
    time_of_day,
    zone_is_declared,
)
from streams.cdc.reading import compact, shown
from streams.contract.numbers import ValueProblem

Reader = Callable[[Any], str | None]  # a JSON value, not null, to its text; raises ValueProblem
EXACT_HINT = (
    "declare wire: number if the database's type is DECIMAL, or round: half_even if it is FLOAT or DOUBLE"
)
ROUND_HINT = "declare a decimal column of it with round: half_even, or make it DECIMAL in the database"


def declared_reader(field: Field, base64_decimals: bool) -> Reader:
    """Return the reader of a column of which the message gives no type.

    base64_decimals: the connector may write decimals as base64 text (Debezium; Canal and Maxwell do not),
    so that text which may be either is refused unless the source says which it is.
    """
    if field.wire is not None and field.wire not in ("text", "number"):
        return _wire_reader(field)
    if field.kind == "number":
        return _number_reader(field, base64_decimals and field.wire is None)
    if field.names_customer and field.kind == "text":
        return name_of
    return {"text": text_of, "bool": bool_of, "time": _time_reader(field), "date": _date_reader(field)}[
        field.kind
    ]


def text_of(value: Any) -> str | None:
    """Return text as it is, empty text as null, everything else as JSON."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else compact(value)


def name_of(value: Any) -> str | None:
    """Return what names a customer: text or a number. Raises ValueProblem."""
    if type(value) in (bool, list, dict):
        raise ValueProblem(f"{shown(value)} is neither text nor a number", "name another column")
    return text_of(value)


def bool_of(value: Any) -> str | None:
    """Return true or false; text is left to the contract. Raises ValueProblem."""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is str:
        return value or None
    if type(value) is int:
        return str(value)
    raise ValueProblem(f"{shown(value)} is neither true nor false", "check the column's type")


def _number_reader(field: Field, ambiguous: bool) -> Reader:
    double = double_reader(field)

    def read(value: Any) -> str | None:
        kind = type(value)
        if kind is int:
            return str(value)
        if kind is str:
            if ambiguous and _may_be_base64(value):
                raise ValueProblem(f"'{shown(value)}' may be digits, or a decimal in base64", WIRE_HINT)
            return value or None
        if kind is bytes:
            return double(value)
        if kind is bool:
            return "1" if value else "0"
        if kind is dict and value.keys() == {"scale", "value"}:
            return from_struct(value)
        raise ValueProblem(f"{shown(value)} is no number", "check the column's type")

    return read


def _may_be_base64(text: str) -> bool:
    """Say whether a text could be base64: a point and a minus sign are not in its alphabet."""
    return len(text) % 4 == 0 and bool(text) and "." not in text and "-" not in text


def double_reader(field: Field) -> Reader:
    """Return the reader of a JSON number with a fraction: exact, rounded or refused, as declared."""
    rounding, scale = field.round, field.scale
    if field.kind == "number" and rounding is not None:
        return lambda value: rounded(_digits(value), scale or 0, rounding)
    if field.kind == "number" and field.wire == "number":
        return lambda value: from_digits(_digits(value))
    hint = EXACT_HINT if scale is not None else ROUND_HINT

    def refuse(value: Any) -> str | None:
        raise ValueProblem(f"{shown(value)} may be a floating-point number, which is not exact", hint)

    return refuse


def _digits(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _time_reader(field: Field) -> Reader:
    sure, iso = zone_is_declared(field), field.format is None

    def read(value: Any) -> str | None:
        if type(value) is str:
            # ISO text that ends in Z is the commonest: told apart without a call.
            if sure or not value or (iso and value[-1] == "Z" and len(value) > 10):
                return value or None
            return check_zone(value, field)
        if type(value) is int or type(value) is bytes:
            return number_as_time(_digits(value), field)
        raise ValueProblem(f"{shown(value)} is no time", "check the column's type")

    return read


def _date_reader(field: Field) -> Reader:
    def read(value: Any) -> str | None:
        if type(value) is str:
            return value or None
        if type(value) is int or type(value) is bytes:
            return number_as_time(_digits(value), field)
        raise ValueProblem(f"{shown(value)} is no date", "check the column's type")

    return read


def _wire_reader(field: Field) -> Reader:
    wire, scale = field.wire or "", field.wire_scale or 0
    if wire == "base64":
        return lambda value: from_base64(_text(value), scale)
    if wire == "epoch_days":
        return date_text
    if wire.startswith("epoch_"):
        return lambda value: local_text(value, wire)
    return lambda value: time_of_day(value, wire)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueProblem(f"{shown(value)} is no base64 text", "correct wire")
    return value
