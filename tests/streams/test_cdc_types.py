"""Every type of Debezium and Kafka Connect becomes the text that the contract reads, or is refused."""

from __future__ import annotations

import base64
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.cdc.change import Refused
from streams.cdc.open import open_decoder
from streams.contract.numbers import ValueProblem
from streams.contract.source import Column, Source
from streams.contract.values import column_reader
from streams.errors import InputError

CONNECT, TIME, DATA = "org.apache.kafka.connect.data.", "io.debezium.time.", "io.debezium.data."
DECIMAL = {"type": "bytes", "name": CONNECT + "Decimal", "parameters": {"scale": "4"}}
SHANGHAI = {"type": "time", "zone": "Asia/Shanghai"}
POINT = {"x": 1.0, "y": 1.0, "wkb": "AQEAAA==", "srid": None}


def source(column: dict[str, Any], form: str = "debezium") -> Source:
    return Source.model_validate(
        {
            "name": "t", "format": {"type": form}, "key": ["id"], "event_time": {"column": "at"},
            "references": [{"type": "id", "column": "id"}], "columns": {"v": column},
        }
    )  # fmt: skip


def read(column: dict[str, Any], schema: dict[str, Any] | None, value: Any) -> str | None:
    """Return the text of a value in a flattened row, with a schema or without; value: JSON, or its text."""
    text = value if isinstance(value, str) and value.startswith("raw:") else "raw:" + json.dumps(value)
    row = f'{{"id":1,"v":{text[4:]}}}'
    if schema is not None:
        fields = [{"type": "int32", "field": "id"}, {**schema, "field": "v"}]
        row = f'{{"schema":{json.dumps({"type": "struct", "fields": fields})},"payload":{row}}}'
    decoded = open_decoder(source(column)).decode(None, row.encode())
    assert isinstance(decoded, tuple)
    return decoded[0].values["v"]


def b64(number: int, length: int = 8) -> str:
    return base64.b64encode(number.to_bytes(length, "big", signed=True)).decode()


TYPED: list[tuple[dict[str, Any], dict[str, Any], Any, str]] = [
    # numbers
    ({"type": "decimal", "scale": 4}, DECIMAL, "EtaH", "123.4567"),
    ({"type": "decimal", "scale": 4}, DECIMAL, b64(-1), "-0.0001"),
    ({"type": "decimal", "scale": 4}, DECIMAL, b64(0), "0.0000"),
    ({"type": "decimal", "scale": 2}, DECIMAL | {"parameters": {"scale": "-2"}}, b64(5), "5e2"),
    ({"type": "decimal", "scale": 2}, DECIMAL | {"parameters": {"scale": "0"}}, "AP//////////",
     str(2**64 - 1)),
    ({"type": "decimal", "scale": 2}, DECIMAL, "raw:12.50", "12.50"),
    ({"type": "decimal", "scale": 2}, DECIMAL, "raw:125E-1", "12.5"),
    ({"type": "decimal", "scale": 2}, DECIMAL, 12, "12"),
    ({"type": "int"}, DECIMAL | {"parameters": {"scale": "0"}}, b64(42), "42"),
    ({"type": "text"}, DECIMAL, "EtaH", "123.4567"),
    ({"type": "decimal", "scale": 2}, {"type": "struct", "name": DATA + "VariableScaleDecimal"},
     {"scale": 2, "value": b64(1990)}, "19.90"),
    ({"type": "decimal", "scale": 2}, {"type": "string"}, "19.90", "19.90"),
    ({"type": "decimal", "scale": 2}, {"type": "string"}, "1990", "1990"),
    ({"type": "decimal", "scale": 2}, {"type": "int64"}, 1990, "1990"),
    ({"type": "decimal", "scale": 2, "round": "half_even"}, {"type": "double"}, "raw:0.125", "0.12"),
    ({"type": "decimal", "scale": 2, "round": "half_up"}, {"type": "double"}, "raw:0.125", "0.13"),
    ({"type": "decimal", "scale": 2, "round": "down"}, {"type": "float"}, "raw:-0.129", "-0.12"),
    ({"type": "decimal", "scale": 2, "round": "half_even"}, {"type": "float64"}, "raw:1.5e1", "15.00"),
    ({"type": "int", "round": "half_up"}, {"type": "double"}, "raw:2.5", "3"),
    ({"type": "text"}, {"type": "double"}, "raw:3.140000104904175", "3.140000104904175"),
    ({"type": "bool"}, {"type": "boolean"}, True, "true"),
    ({"type": "bool"}, {"type": "int16"}, 0, "0"),
    ({"type": "int"}, {"type": "boolean"}, True, "1"),
    ({"type": "text"}, {"type": "boolean"}, False, "false"),
    ({"type": "int"}, {"type": "bytes", "name": DATA + "Bits", "parameters": {"length": "16"}}, "AQI=",
     "513"),
    ({"type": "text"}, {"type": "bytes", "name": DATA + "Bits"}, "AQI=", "513"),
    ({"type": "int"}, {"type": "int32", "name": TIME + "Year"}, 2026, "2026"),
    # local times: the source says the zone
    (SHANGHAI, {"type": "int64", "name": TIME + "Timestamp"}, 1679581805123, "2023-03-23T14:30:05.123000"),
    (SHANGHAI, {"type": "int64", "name": CONNECT + "Timestamp"}, 1679581805000, "2023-03-23T14:30:05"),
    (SHANGHAI, {"type": "int64", "name": TIME + "MicroTimestamp"}, 1679581805123456,
     "2023-03-23T14:30:05.123456"),
    (SHANGHAI, {"type": "int64", "name": TIME + "NanoTimestamp"}, 1679581805123456789,
     "2023-03-23T14:30:05.123456"),
    (SHANGHAI, {"type": "int64", "name": TIME + "Timestamp"}, -1, "1969-12-31T23:59:59.999000"),
    (SHANGHAI, {"type": "string", "name": TIME + "IsoTimestamp"}, "2017-09-15T15:30:00Z",
     "2017-09-15T15:30:00"),
    (SHANGHAI, {"type": "int32", "name": TIME + "Date"}, 19439, "2023-03-23"),
    ({"type": "time", "format": "epoch_ms"}, {"type": "int64", "name": TIME + "Timestamp"}, 1679581805000,
     "1679581805000"),
    ({"type": "time", "format": "epoch_s"}, {"type": "int64"}, 1679581805, "1679581805"),
    ({"type": "int"}, {"type": "int64", "name": TIME + "MicroTimestamp"}, 1679581805123456,
     "1679581805123456"),
    ({"type": "text"}, {"type": "int64", "name": TIME + "Timestamp"}, 0, "1970-01-01T00:00:00"),
    # moments and dates
    ({"type": "time"}, {"type": "string", "name": TIME + "ZonedTimestamp"}, "2023-03-23T22:00:10.123456Z",
     "2023-03-23T22:00:10.123456Z"),
    ({"type": "time"}, {"type": "string", "name": TIME + "ZonedTimestamp"}, "2023-03-23T22:00:10+08:00",
     "2023-03-23T22:00:10+08:00"),
    ({"type": "date"}, {"type": "int32", "name": TIME + "Date"}, 19439, "2023-03-23"),
    ({"type": "date"}, {"type": "int32", "name": CONNECT + "Date"}, -1, "1969-12-31"),
    ({"type": "date"}, {"type": "string", "name": TIME + "IsoDate"}, "2017-09-15Z", "2017-09-15"),
    ({"type": "date"}, {"type": "int64", "name": TIME + "Timestamp"}, 1679529600000, "2023-03-23T00:00:00"),
    # times of day and lengths
    ({"type": "text"}, {"type": "int32", "name": TIME + "Time"}, 36803000, "10:13:23"),
    ({"type": "text"}, {"type": "int32", "name": CONNECT + "Time"}, 1, "00:00:00.001000"),
    ({"type": "text"}, {"type": "int64", "name": TIME + "MicroTime"}, 36803000001, "10:13:23.000001"),
    ({"type": "text"}, {"type": "int64", "name": TIME + "NanoTime"}, 36803000000000, "10:13:23"),
    ({"type": "text"}, {"type": "int64", "name": TIME + "MicroTime"}, -5400000000, "-01:30:00"),
    ({"type": "int"}, {"type": "int64", "name": TIME + "MicroTime"}, 36803000000, "36803000000"),
    ({"type": "text"}, {"type": "string", "name": TIME + "ZonedTime"}, "10:13:23Z", "10:13:23Z"),
    ({"type": "text"}, {"type": "string", "name": TIME + "IsoTime"}, "10:13:23Z", "10:13:23"),
    ({"type": "int"}, {"type": "int64", "name": TIME + "MicroDuration"}, 5400000000, "5400000000"),
    ({"type": "int"}, {"type": "int64", "name": TIME + "NanoDuration"}, -5, "-5"),
    ({"type": "text"}, {"type": "string", "name": TIME + "Interval"}, "P0Y0M0DT5H1M0S", "P0Y0M0DT5H1M0S"),
    # everything else
    ({"type": "text"}, {"type": "string", "name": DATA + "Json"}, '{"a": "b"}', '{"a": "b"}'),
    ({"type": "text"}, {"type": "string", "name": DATA + "Uuid"}, "5f8a1c2e-3b4d", "5f8a1c2e-3b4d"),
    ({"type": "text"}, {"type": "string", "name": DATA + "Enum"}, "red", "red"),
    ({"type": "text"}, {"type": "string", "name": DATA + "EnumSet"}, "a,b", "a,b"),
    ({"type": "text"}, {"type": "string", "name": DATA + "Xml"}, "<a/>", "<a/>"),
    ({"type": "text"}, {"type": "string", "name": DATA + "Ltree"}, "a.b", "a.b"),
    ({"type": "text"}, {"type": "struct", "name": DATA + "geometry.Point"}, POINT,
     '{"x":1.0,"y":1.0,"wkb":"AQEAAA==","srid":null}'),
    ({"type": "text"}, {"type": "bytes"}, "AQI=", "AQI="),
    ({"type": "text"}, {"type": "array", "items": {"type": "int32"}}, [1, None, 2], "[1,null,2]"),
    ({"type": "text"}, {"type": "array"}, "raw:[1.50, \"好\", {}]", '[1.50,"好",{}]'),
    ({"type": "text"}, {"type": "map"}, {"a": "b"}, '{"a":"b"}'),
    ({"type": "decimal", "scale": 2, "wire": "base64", "wire_scale": 2}, {"type": "bytes"}, b64(1990),
     "19.90"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "schema", "value", "text"), TYPED)
def test_a_typed_value_becomes_the_text_that_a_file_would_hold(
    column: dict[str, Any], schema: dict[str, Any], value: Any, text: str
) -> None:
    assert read(column, schema, value) == text
    assert read(column, schema, None) is None


REFUSED_TYPED: list[tuple[dict[str, Any], dict[str, Any], Any, str, str]] = [
    ({"type": "decimal"}, {"type": "double"}, "raw:39.0", "floating-point", "round: half_even"),
    ({"type": "decimal"}, {"type": "double"}, 39, "floating-point", "round: half_even"),
    ({"type": "decimal", "wire": "number"}, {"type": "double"}, "raw:NaN", "no JSON", "converter"),
    ({"type": "decimal", "round": "down"}, {"type": "double"}, "NaN", "is no number", "digits"),
    ({"type": "decimal", "round": "down"}, {"type": "double"}, "Infinity", "is no number", "digits"),
    ({"type": "decimal", "round": "down"}, {"type": "double"}, "raw:1e300", "out of reach", "check"),
    ({"type": "decimal", "round": "down"}, {"type": "double"}, "raw:1e999", "out of reach", "check"),
    ({"type": "int"}, {"type": "float"}, "raw:5.0", "floating-point", "round"),
    ({"type": "decimal"}, {"type": "bytes", "name": CONNECT + "Decimal"}, "EtaH", "scale", "connector"),
    ({"type": "decimal"}, DECIMAL | {"parameters": {"scale": "x"}}, "EtaH", "scale", "connector"),
    ({"type": "decimal"}, DECIMAL | {"parameters": {"scale": "99"}}, "EtaH", "scale 99", "column"),
    ({"type": "decimal"}, DECIMAL, "", "empty decimal", "connector"),
    ({"type": "decimal"}, DECIMAL, "EtaH!", "no base64", "converter"),
    ({"type": "decimal"}, DECIMAL, b64(1, 40), "40 bytes", "column"),
    ({"type": "decimal"}, DECIMAL, [1], "no decimal", "converter"),
    ({"type": "decimal"}, DECIMAL, "raw:1e400", "scale -400", "column"),
    ({"type": "decimal"}, {"type": "struct", "name": DATA + "VariableScaleDecimal"}, {"value": "EtaH"},
     "no decimal with a scale", "connector"),
    ({"type": "decimal"}, {"type": "bytes"}, "EtaH", "raw bytes", "text"),
    ({"type": "int"}, {"type": "array"}, [1], "array", "text"),
    ({"type": "int"}, {"type": "struct", "name": DATA + "geometry.Point"}, POINT, "struct", "text"),
    ({"type": "time"}, {"type": "int64", "name": TIME + "Timestamp"}, 1, "does not say its zone", "zone:"),
    ({"type": "time"}, {"type": "int64", "name": TIME + "MicroTimestamp"}, 1, "its zone", "zone:"),
    ({"type": "time"}, {"type": "string", "name": TIME + "IsoTimestamp"}, "2017-09-15T15:30:00Z",
     "its zone", "zone:"),
    ({"type": "time"}, {"type": "int32", "name": TIME + "Date"}, 1, "its zone", "zone:"),
    ({"type": "time"}, {"type": "string"}, "2023-03-23 14:30:05", "its zone", "zone:"),
    ({"type": "time", "format": "%Y-%m-%d"}, {"type": "string"}, "2023-03-23", "its zone", "zone:"),
    ({"type": "time", "format": "epoch_ms"}, {"type": "int64", "name": TIME + "MicroTimestamp"}, 1,
     "the schema says epoch_us, the source epoch_ms", "remove format"),
    (SHANGHAI, {"type": "int64"}, 1679581805123, "does not say its unit", "wire"),
    (SHANGHAI, {"type": "int64", "name": TIME + "Timestamp"}, 9223371331200000000, "years 1 to 9999",
     "correct"),
    (SHANGHAI, {"type": "int64", "name": TIME + "Timestamp"}, "x", "no whole number", "wire"),
    (SHANGHAI, {"type": "int64", "name": TIME + "MicroTime"}, 1, "time of day", "text"),
    (SHANGHAI, {"type": "string", "name": TIME + "ZonedTime"}, "10:13:23Z", "time of day", "text"),
    ({"type": "date"}, {"type": "int32", "name": TIME + "Date"}, 2**31 - 1, "years 1 to 9999", "correct"),
    ({"type": "date"}, {"type": "int32"}, 19439, "for a date does not say its unit", "epoch_days"),
    ({"type": "date", "format": "%d.%m.%Y"}, {"type": "int32", "name": TIME + "Date"}, 1, "schema", "format"),
    ({"type": "bool"}, {"type": "int64", "name": TIME + "Timestamp"}, 1, "neither true nor false", "type"),
    ({"type": "bool"}, {"type": "double"}, "raw:0.5", "neither true nor false", "type"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "schema", "value", "problem", "hint"), REFUSED_TYPED)
def test_a_typed_value_that_cannot_be_read_exactly_is_refused(
    column: dict[str, Any], schema: dict[str, Any], value: Any, problem: str, hint: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(column, schema, value)
    assert problem in refused.value.problem
    assert hint in refused.value.hint


DECLARED: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "decimal", "scale": 2}, 12, "12"),
    ({"type": "decimal", "scale": 2}, "12.50", "12.50"),
    ({"type": "decimal", "scale": 2}, "-1234", "-1234"),
    ({"type": "decimal", "scale": 2}, "123", "123"),
    ({"type": "decimal", "scale": 2, "wire": "text"}, "1234", "1234"),
    ({"type": "decimal", "scale": 2, "wire": "number"}, "raw:12.50", "12.50"),
    ({"type": "decimal", "scale": 2, "wire": "number"}, "raw:1E3", "1e3"),
    ({"type": "decimal", "scale": 2, "wire": "number", "round": "half_up"}, "raw:0.125", "0.13"),
    ({"type": "decimal", "scale": 2, "wire": "base64", "wire_scale": 4}, "EtaH", "123.4567"),
    ({"type": "decimal", "scale": 2}, {"scale": 1, "value": b64(15)}, "1.5"),
    ({"type": "int"}, 2**64 - 1, str(2**64 - 1)),
    ({"type": "time", "wire": "epoch_ms", "zone": "UTC"}, 1679581805123, "2023-03-23T14:30:05.123000"),
    ({"type": "time", "wire": "epoch_us", "zone": "UTC"}, 1679581805000001, "2023-03-23T14:30:05.000001"),
    ({"type": "time", "wire": "epoch_ns", "zone": "UTC"}, 1679581805000001999, "2023-03-23T14:30:05.000001"),
    ({"type": "time", "wire": "epoch_days", "zone": "UTC"}, 19439, "2023-03-23"),
    ({"type": "time", "format": "epoch_ms"}, 1679581805123, "1679581805123"),
    ({"type": "time", "format": "epoch_s"}, "raw:1679581805.5", "1679581805.5"),
    ({"type": "time", "format": "%Y%m%d %z"}, "20230323 +0800", "20230323 +0800"),
    (SHANGHAI, "2023-03-23 14:30:05", "2023-03-23 14:30:05"),
    ({"type": "time"}, "2023-03-23T14:30:05+0800", "2023-03-23T14:30:05+0800"),
    ({"type": "time"}, "2023-03-23T14:30:05.1-05", "2023-03-23T14:30:05.1-05"),
    ({"type": "date", "wire": "epoch_days"}, 19439, "2023-03-23"),
    ({"type": "date"}, "2023-03-23", "2023-03-23"),
    ({"type": "text", "wire": "epoch_days"}, 19439, "2023-03-23"),
    ({"type": "text", "wire": "ms_of_day"}, 36803000, "10:13:23"),
    ({"type": "text", "wire": "us_of_day"}, 36803000000, "10:13:23"),
    ({"type": "text", "wire": "ns_of_day"}, 36803000000000, "10:13:23"),
    ({"type": "text", "wire": "base64", "wire_scale": 4}, "EtaH", "123.4567"),
    ({"type": "text"}, "raw:1.50", "1.50"),
    ({"type": "text"}, {"a": [1, True]}, '{"a":[1,true]}'),
    ({"type": "bool"}, 1, "1"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "text"), DECLARED)
def test_a_value_without_schema_is_read_as_the_source_declares(
    column: dict[str, Any], value: Any, text: str
) -> None:
    assert read(column, None, value) == text


REFUSED_DECLARED: list[tuple[dict[str, Any], Any, str, str]] = [
    ({"type": "decimal", "scale": 2}, "EtaH", "a decimal in base64", "wire_scale"),
    ({"type": "decimal", "scale": 2}, "1234", "digits, or a decimal in base64", "wire: text"),
    ({"type": "int"}, "1E+3", "base64", "wire: text"),
    ({"type": "decimal", "scale": 2}, "raw:3.14", "floating-point", "wire: number"),
    ({"type": "decimal", "scale": 2}, "raw:3e0", "floating-point", "wire: number"),
    ({"type": "decimal", "scale": 2, "wire": "base64", "wire_scale": 2}, 5, "no base64 text", "wire"),
    ({"type": "int"}, [5], "is no number", "type"),
    ({"type": "time"}, 1679581805123, "does not say its unit", "wire"),
    ({"type": "time"}, "2023-03-23T14:30:05", "does not say its zone", "zone:"),
    ({"type": "time"}, "2023-03-23", "does not say its zone", "zone:"),
    ({"type": "time", "wire": "epoch_ms", "zone": "UTC"}, "2023-03-23", "no whole number", "wire"),
    ({"type": "time", "wire": "epoch_ms", "zone": "UTC"}, 10**30, "years 1 to 9999", "correct"),
    ({"type": "time"}, {"t": 1}, "is no time", "type"),
    ({"type": "date"}, 19439, "does not say its unit", "epoch_days"),
    ({"type": "date"}, [1], "is no date", "type"),
    ({"type": "bool"}, [1], "neither true nor false", "type"),
    ({"type": "text", "wire": "ms_of_day"}, 10**30, "no time of day", "correct"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "problem", "hint"), REFUSED_DECLARED)
def test_what_is_neither_in_the_message_nor_declared_is_refused_and_never_guessed(
    column: dict[str, Any], value: Any, problem: str, hint: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(column, None, value)
    assert refused.value.problem.startswith("column 'v': ")
    assert problem in refused.value.problem
    assert hint in refused.value.hint


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1" * 61, "1e300"])
def test_a_text_that_is_no_number_of_a_shop_is_refused_by_the_contract(text: str) -> None:
    """decimal.handling.mode=string writes PostgreSQL's NaN as text."""
    told = read({"type": "decimal", "scale": 2}, {"type": "string"}, text)
    assert told == text
    with pytest.raises(ValueProblem):
        column_reader(Column(type="decimal", scale=2), ZoneInfo("UTC"))(told)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"v": {"type": "decimal", "wire": "base64"}}, "does not say its scale"),
        ({"v": {"type": "time", "wire": "epoch_ms"}}, "does not say its zone"),
        ({"v": {"type": "time", "wire": "epoch_ms", "format": "epoch_ms", "zone": "UTC"}}, "wire and format"),
        ({"v": {"type": "decimal", "wire": "epoch_ms"}}, "does not fit its type"),
        ({"v": {"type": "bool", "wire": "number"}}, "does not fit its type"),
        ({"v": {"type": "time", "wire": "ms_of_day", "zone": "UTC"}}, "does not fit its type"),
        ({"a": {"type": "int", "from": "v"}, "b": {"type": "time", "from": "v"}}, "read in two ways"),
        ({"a": {"type": "decimal", "scale": 2, "round": "down", "from": "v"},
          "b": {"type": "decimal", "scale": 2, "from": "v"}}, "read in two ways"),
    ],
)  # fmt: skip
def test_a_declaration_that_does_not_say_enough_or_too_much_is_an_error(
    columns: dict[str, Any], problem: str
) -> None:
    declared = source({"type": "text"}).model_copy(
        update={"columns": {name: Column.model_validate(column) for name, column in columns.items()}}
    )
    with pytest.raises(InputError, match=problem):
        open_decoder(declared)


def test_one_heading_may_serve_several_columns() -> None:
    """The key as a number, as text and as a factor of a product."""
    declared = Source.model_validate(
        {
            "name": "t", "format": {"type": "debezium"}, "key": ["id"], "event_time": {"column": "at"},
            "references": [{"type": "id", "column": "id"}],
            "columns": {
                "id": {"type": "int"}, "as_text": {"type": "text", "from": "id"},
                "money": {"type": "decimal", "scale": 2, "product": ["id", "price"]},
                "price": {"type": "decimal", "scale": 2, "round": "half_even"},
                "cents": {"type": "decimal", "scale": 4, "from": "amount"},
                "whole": {"type": "int", "from": "amount"},
            },
        }
    )  # fmt: skip
    row = b'{"id":3,"at":"2026-03-01T08:00:00Z","price":2.499,"amount":7}'
    decoded = open_decoder(declared).decode(None, row)
    assert isinstance(decoded, tuple)
    assert decoded[0].values == {"id": "3", "at": "2026-03-01T08:00:00Z", "price": "2.50", "amount": "7"}


def test_a_factor_that_is_a_floating_point_number_needs_a_column_of_its_own() -> None:
    column = {"type": "decimal", "scale": 2, "round": "down", "product": ["v", "w"]}
    declared = source({"type": "text"}).model_copy(update={"columns": {"m": Column.model_validate(column)}})
    with pytest.raises(Refused, match=r"column 'v'.*declare a decimal column of it"):
        open_decoder(declared).decode(None, b'{"id":1,"v":2.5,"w":1}')


def test_only_a_source_of_change_messages_has_a_decoder() -> None:
    with pytest.raises(InputError, match=r"sources/t.yaml: format.type csv is none of change messages"):
        open_decoder(source({"type": "text"}, form="csv"))
