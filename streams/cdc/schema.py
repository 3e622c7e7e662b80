"""Readers of values whose type stands in the message: the schema of Kafka Connect's JSON converter.

Names are those of ``org.apache.kafka.connect.data`` and of Debezium's ``io.debezium.time`` and
``io.debezium.data`` (Debezium documentation, "Data type mappings" of each connector).
"""

from __future__ import annotations

from typing import Any

import msgspec

from streams.cdc.decimals import bytes_of, from_base64, from_digits, from_struct
from streams.cdc.declared import Reader, declared_reader, double_reader, text_of
from streams.cdc.fields import ZONE_HINT, Field
from streams.cdc.moments import check_zone, date_text, local_text, number_as_time, time_of_day
from streams.cdc.reading import shown
from streams.contract.numbers import ValueProblem


class Schema(msgspec.Struct):
    """One schema of Kafka Connect; a field of a struct carries its name in ``field``."""

    type: str | None = None
    name: str | None = None
    field: str | None = None
    fields: list[Schema] | None = None
    parameters: dict[str, Any] | None = None

    def child(self, name: str) -> Schema | None:
        """Return the field of this name."""
        return next((inner for inner in self.fields or [] if inner.field == name), None)


_CONNECT, _TIME, _DATA = "org.apache.kafka.connect.data.", "io.debezium.time.", "io.debezium.data."
_LOCAL = {
    _TIME + "Timestamp": "epoch_ms", _CONNECT + "Timestamp": "epoch_ms",
    _TIME + "MicroTimestamp": "epoch_us", _TIME + "NanoTimestamp": "epoch_ns",
}  # fmt: skip
_OF_DAY = {
    _TIME + "Time": "ms_of_day", _CONNECT + "Time": "ms_of_day",
    _TIME + "MicroTime": "us_of_day", _TIME + "NanoTime": "ns_of_day",
}  # fmt: skip
_DATES = (_TIME + "Date", _CONNECT + "Date")
# A local time or a date with a Z behind it that means nothing (time.precision.mode=isostring).
_ISO_LOCAL, _ISO_OTHER = _TIME + "IsoTimestamp", (_TIME + "IsoDate", _TIME + "IsoTime")
_OF_DAY_TEXTS = (_TIME + "IsoTime", _TIME + "ZonedTime")
_WHOLE = {"int8", "int16", "int32", "int64"}
_FLOATS = {"float", "double", "float32", "float64"}


def schema_reader(field: Field, schema: Schema) -> Reader:
    """Return the reader of a column whose type the message gives."""
    name = schema.name or ""
    if name == _CONNECT + "Decimal":
        return _numeric(field, _decimal_reader(schema))
    if name == _DATA + "VariableScaleDecimal":
        return _numeric(field, from_struct)
    if name == _DATA + "Bits":
        return _numeric(field, _bits)
    if name in _LOCAL:
        return _moment_reader(field, _LOCAL[name])
    if name in _DATES:
        return _day_reader(field)
    if name in _OF_DAY:
        return _of_day_reader(field, _OF_DAY[name])
    if name == _ISO_LOCAL:
        return _iso_local_reader(field)
    if name in _ISO_OTHER and field.kind != "time":
        return lambda value: value.removesuffix("Z") if isinstance(value, str) else text_of(value)
    if field.kind in ("time", "date") and name in _OF_DAY_TEXTS:
        return refusing("a time of day is no moment", "declare the column as text")
    return _plain_reader(field, schema.type or "")


def _plain_reader(field: Field, kind: str) -> Reader:
    if kind in _FLOATS and field.kind == "number":
        return double_reader(field)
    if kind == "bytes" and field.kind != "text" and field.wire != "base64":
        return refusing("raw bytes", "declare the column as text, or leave it out")
    if kind in ("array", "map", "struct") and field.kind != "text":
        return refusing(f"a value of the type {kind}", "declare the column as text, or leave it out")
    return declared_reader(field, base64_decimals=kind not in ("string", *_WHOLE))


def refusing(problem: str, hint: str) -> Reader:
    """Return a reader that refuses every value."""

    def refuse(value: Any) -> str | None:
        raise ValueProblem(f"{shown(value)}: {problem}", hint)

    return refuse


def _numeric(field: Field, read: Reader) -> Reader:
    if field.kind in ("time", "date"):
        return lambda value: number_as_time(read(value) or "", field)
    return read


def _decimal_reader(schema: Schema) -> Reader:
    try:
        scale = int((schema.parameters or {})["scale"])
    except (KeyError, TypeError, ValueError):
        return refusing("the schema does not say the decimal's scale", "check the connector")

    def read(value: Any) -> str | None:
        if type(value) is str:
            return from_base64(value, scale)
        if type(value) is int or type(value) is bytes:  # the converter's decimal.format=NUMERIC
            return from_digits(value.decode() if isinstance(value, bytes) else str(value))
        raise ValueProblem(f"{shown(value)} is no decimal", "check the connector's converter")

    return read


def _bits(value: Any) -> str | None:
    """Return the whole number of a BIT column: its bytes stand with the least significant first."""
    if type(value) is not str:
        raise ValueProblem(f"{shown(value)} is no base64 text", "check the connector's converter")
    return str(int.from_bytes(bytes_of(value)[:64], "little"))


def _moment_reader(field: Field, unit: str) -> Reader:
    if field.kind == "bool":
        return refusing("a time is neither true nor false", "correct the column's type")
    if field.kind == "number" or (field.kind == "time" and field.format == unit):
        return declared_reader(Field(field.heading, "number"), base64_decimals=False)
    if field.kind == "time" and field.format is not None:
        return refusing(f"the schema says {unit}, the source {field.format}", "remove format, declare zone")
    if field.kind == "time" and not field.zoned:
        return refusing("a local time that does not say its zone", ZONE_HINT)
    return lambda value: local_text(value, unit)


def _day_reader(field: Field) -> Reader:
    if field.kind == "bool":
        return refusing("a date is neither true nor false", "correct the column's type")
    if field.kind == "number":
        return declared_reader(Field(field.heading, "number"), base64_decimals=False)
    if field.kind != "text" and field.format is not None:
        return refusing("the schema says how the date is written", "remove format")
    if field.kind == "time" and not field.zoned:
        return refusing("a date that does not say its zone", ZONE_HINT)
    return date_text


def _of_day_reader(field: Field, unit: str) -> Reader:
    if field.kind == "number":
        return declared_reader(Field(field.heading, "number"), base64_decimals=False)
    if field.kind != "text":
        return refusing("a time of day is no moment", "declare the column as text or int")
    return lambda value: time_of_day(value, unit)


def _iso_local_reader(field: Field) -> Reader:
    def read(value: Any) -> str | None:
        if type(value) is not str:
            raise ValueProblem(f"{shown(value)} is no time", "check the connector's converter")
        local = value.removesuffix("Z")
        return check_zone(local, field) if field.kind == "time" else local

    return read
