# ruff: noqa: E501 - one case a line, so that the table reads as one
"""Bad messages: what arrives, at which source, and which problem and hint it is put aside with.

Each row: what is wrong, the message, a part of the problem, a part of the hint. Every one becomes a dead letter and
changes nothing else. The good message that each was made from is the first line of its section.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

DEEP = 900  # levels: more than Python's recursion takes, less than JSON's own reader


class Bad(NamedTuple):
    """One bad message. key: the message's key, which only feeds have."""

    what: str
    source: str
    value: bytes | None
    problem: str
    hint: str
    key: bytes | None = None


def _rows(source: str, good: dict[str, Any], cases: list[tuple[str, dict[str, Any] | bytes, str, str]]) -> list[Bad]:
    """Return one message for each case: the good one with some values changed, or bytes as they are."""
    found = []
    for what, change, problem, hint in cases:
        value = change if isinstance(change, bytes) else _json(good, change)
        found.append(Bad(f"{source}: {what}", source, value, problem, hint))
    return found


def _feed(source: str, cases: list[tuple[Any, ...]]) -> list[Bad]:
    """Return one message for each case: its value, problem, hint, and the message's key where there is one."""
    return [Bad(f"{source}: {case[0]}", source, *case[1:]) for case in cases]


def _json(good: dict[str, Any], change: dict[str, Any]) -> bytes:
    row = {name: value for name, value in {**good, **change}.items() if value is not ...}
    return json.dumps(row, ensure_ascii=False).encode()


# ---- plain rows, as JSON: files of JSON lines and HTTP -------------------------------------------------------
ORDER: dict[str, Any] = {"order_id": "B1", "member_id": "M1", "created_at": "2026-03-01 10:00", "amount": "12.50"}
_TEXT = _json(ORDER, {}).decode()
NO_JSON, ONE_OBJECT = "this is no JSON", "write one JSON object for each row"
NO_TIME, ISO = "is no time", "write ISO 8601"
NO_NUMBER, DIGITS = "is no number", "write digits, with a point for decimals"
NAME, TEXT_OR_NUMBER = "is neither text nor a number", "is text or a number"

ROWS = _rows("orders", ORDER, [
    # no JSON, or not what a row is
    ("nothing at all", b"", "this is empty", ONE_OBJECT),
    ("blanks", b"   ", NO_JSON, ONE_OBJECT),
    ("cut short", _TEXT[:-9].encode(), NO_JSON, ONE_OBJECT),
    ("only its first byte", b"{", NO_JSON, ONE_OBJECT),
    ("two objects", b'{"a": 1}{"a": 2}', NO_JSON, ONE_OBJECT),
    ("a comma too many", b'{"order_id": "B1",}', NO_JSON, ONE_OBJECT),
    ("single quotes", b"{'order_id': 'B1'}", NO_JSON, ONE_OBJECT),
    ("a form", b"order_id=B1&amount=5", NO_JSON, ONE_OBJECT),
    ("XML", b"<order id='B1'/>", NO_JSON, ONE_OBJECT),
    ("null", b"null", "this is no JSON object", ONE_OBJECT),
    ("a list", b"[]", "this is no JSON object", ONE_OBJECT),
    ("a text", b'"B1"', "this is no JSON object", ONE_OBJECT),
    ("a number", b"5", "this is no JSON object", ONE_OBJECT),
    ("lists in lists without end", b"[" * 100_000, "nested too deeply", ONE_OBJECT),
    ("objects in objects without end", b'{"a":' * 50_000, "nested too deeply", ONE_OBJECT),
    ("a column nested deeply", f'{_TEXT[:-1]}, "x": {"[" * DEEP}{"]" * DEEP}}}'.encode(), "nested too deeply", ONE_OBJECT),
    ("larger than 10 MB", _json(ORDER, {"note": "x" * 10_000_000}), "larger than 10 MB", "without its large columns"),
    ("a name twice", b'{"order_id": "B1", "order_id": "B2"}', "a name stands more than once", "keep one"),
    # encodings
    ("gzip", b"\x1f\x8b\x08\x00abc", "byte 1 (hex 8b) is not UTF-8", "write JSON in UTF-8"),
    ("a zero byte", b"\x00", NO_JSON, ONE_OBJECT),
    ("a zero byte behind the row", _TEXT.encode() + b"\x00", NO_JSON, ONE_OBJECT),
    ("UTF-16", _TEXT.encode("utf-16"), "is not UTF-8", "write JSON in UTF-8"),
    ("UTF-32", _TEXT.encode("utf-32"), "is not UTF-8", "write JSON in UTF-8"),
    ("GBK", _json(ORDER, {"status": "已取消"}).decode().encode("gbk"), "is not UTF-8", "write JSON in UTF-8"),
    ("Latin-1", _json(ORDER, {"member_id": "Müller"}).decode().encode("latin-1"), "is not UTF-8", "write JSON in UTF-8"),
    ("a surrogate in bytes", _TEXT.encode().replace(b"M1", b"\xed\xa0\x80"), "is not UTF-8", "write JSON in UTF-8"),
    ("half a character in the key", _TEXT.replace("B1", "B\\ud800").encode(), "\\ud800 is half of a character", "write both halves"),
    ("half a character in a name", _TEXT.replace("M1", "M\\uDFFF").encode(), "\\udfff is half of a character", "write both halves"),
    ("half a character in a heading", _TEXT.replace('"member_id"', '"\\ud9aa"').encode(), "\\ud9aa is half", "write both halves"),
    ("mojibake where values are listed", {"status": "已取消".encode().decode("latin-1")}, "status: ", "allowed: created, paid, 已取消"),
    # the key
    ("no key", {"order_id": ...}, "order_id: the key is missing", "fill it"),
    ("key null", {"order_id": None}, "order_id: the key is missing", "fill it"),
    ("key empty", {"order_id": ""}, "order_id: the key is missing", "fill it"),
    ("key blank", {"order_id": " \t"}, "order_id: nothing but blanks", "fill it"),
    ("key too long", {"order_id": "x" * 1001}, "order_id: a name of more than 1000 characters", "name another column"),
    ("key an object", {"order_id": {}}, f"order_id: {{}} {NAME}", TEXT_OR_NUMBER),
    ("key a list", {"order_id": [1]}, NAME, TEXT_OR_NUMBER),
    ("key a truth", {"order_id": True}, f"order_id: true {NAME}", TEXT_OR_NUMBER),
    ("key with a zero byte", {"order_id": "B\x00"}, "order_id: holds a character that cannot be seen", "remove it"),
    ("key behind a byte order mark", {"order_id": "\ufeffB1"}, "order_id: holds a character that cannot be seen", "remove it"),
    ("key with the separator of keys", {"order_id": "B\x1f1"}, "cannot be seen", "remove it"),
    ("key with a line break", {"order_id": "B1\n"}, "cannot be seen", "remove it"),
    # who it is
    ("no customer", {"member_id": ...}, "the row names no customer", "fill member_id"),
    ("customer null", {"member_id": None}, "the row names no customer", "fill member_id"),
    ("customer empty", {"member_id": ""}, "the row names no customer", "fill member_id"),
    ("customer blank", {"member_id": "　"}, "member_id: nothing but blanks", "fill it"),
    ("customer an object", {"member_id": {"id": 1}}, NAME, TEXT_OR_NUMBER),
    ("customer an empty list", {"member_id": []}, NAME, TEXT_OR_NUMBER),
    ("customer a truth", {"member_id": False}, NAME, TEXT_OR_NUMBER),
    ("customer too long", {"member_id": "客" * 1001}, "member_id: a name of more than 1000 characters", "name another column"),
    ("customer with a zero byte", {"member_id": "M\x00"}, "member_id: holds a character that cannot be seen", "remove it"),
    # when it was
    ("no time", {"created_at": ...}, "created_at: the event time is missing", "fill it"),
    ("time null", {"created_at": None}, "created_at: the event time is missing", "fill it"),
    ("before 1970", {"created_at": "1969-12-31 23:59"}, "lies outside 1970 to 2199", "correct the time"),
    ("1970 in the shop's zone, before it in UTC", {"created_at": "1970-01-01 00:00"}, "lies outside 1970 to 2199", "correct the time"),
    ("the year 1", {"created_at": "0001-01-01"}, "lies outside 1970 to 2199", "correct the time"),
    ("the year 1 in Kiribati", {"created_at": "0001-01-01 00:00+14:00"}, "lies outside 1970 to 2199", "correct the time"),
    ("2200", {"created_at": "2200-06-01"}, "lies outside 1970 to 2199", "correct the time"),
    ("the year 9999", {"created_at": "9999-12-31 23:59-14:00"}, "lies outside 1970 to 2199", "correct the time"),
    ("in a hundred years", {"created_at": "2126-03-01 10:00"}, "more than 1d ahead", "correct the time or its zone"),
    ("in two days", {"created_at": "2026-03-03 14:00"}, "more than 1d ahead", "correct the time or its zone"),
    ("a day that is not", {"created_at": "2026-02-30"}, NO_TIME, ISO),
    ("a minute that is not", {"created_at": "2026-03-01 10:61"}, NO_TIME, ISO),
    ("24 o'clock", {"created_at": "2026-03-01 24:00"}, NO_TIME, ISO),
    ("seconds since 1970, not declared", {"created_at": 1772359200}, NO_TIME, ISO),
    ("only a time of day", {"created_at": "10:00"}, NO_TIME, ISO),
    ("day first", {"created_at": "01/03/2026"}, NO_TIME, ISO),
    ("an offset of 99 hours", {"created_at": "2026-03-01 10:00+99:00"}, NO_TIME, ISO),
    ("a zone by its name", {"created_at": "2026-03-01 10:00 Europe/Paris"}, NO_TIME, ISO),
    ("a time as an object", {"created_at": {"$date": 5}}, NO_TIME, ISO),
    ("a time of 5,000 letters", {"created_at": "x" * 5000}, "xxx...' is no time", ISO),
    # amounts
    ("no amount", {"amount": ...}, "amount: a required value is missing", "fill it"),
    ("amount empty", {"amount": ""}, "amount: a required value is missing", "fill it"),
    ("NaN", _TEXT.replace('"12.50"', "NaN").encode(), "NaN is no number of JSON", "write null"),
    ("Infinity", _TEXT.replace('"12.50"', "-Infinity").encode(), "-Infinity is no number of JSON", "write null"),
    ("NaN as text", {"amount": "NaN"}, f"amount: 'NaN' {NO_NUMBER}", DIGITS),
    ("infinity as text", {"amount": "inf"}, NO_NUMBER, DIGITS),
    ("negative", {"amount": -1}, "amount: -100 is below the minimum 0", "correct the value or the contract"),
    ("negative by a cent", {"amount": "-0.01"}, "amount: -1 is below the minimum 0", "correct the value"),
    ("thousands separators", {"amount": "1,234.50"}, NO_NUMBER, "without thousands separators: 1234.50"),
    ("a decimal comma", {"amount": "12,50"}, NO_NUMBER, "write the decimal sign as a point: 12.50"),
    ("a currency sign", {"amount": "€12"}, NO_NUMBER, DIGITS),
    ("a tenth of a cent", {"amount": "12.345"}, "12.345 has more than 2 decimals", "declare a scale of 3"),
    ("beyond every shop", {"amount": 10**14}, "beyond the limit of 10^13 units", "check the number and the scale"),
    ("1e400", {"amount": "1e400"}, "1e400 is beyond the limit", "check the number and the scale"),
    ("1e-400", {"amount": "1e-400"}, "1e-400 has more than 2 decimals", "round it"),
    ("an exponent of a million", {"amount": "1e1000000"}, NO_NUMBER, DIGITS),
    ("seventy digits", {"amount": "9" * 70}, "has more than 60 digits", "check the column"),
    ("a million digits", {"amount": "9" * 1_000_000}, "has more than 60 digits", "check the column"),
    ("a million letters", {"amount": "x" * 1_000_000}, "xxx...' is no number", "check the column"),
    ("hexadecimal", {"amount": "0x10"}, NO_NUMBER, DIGITS),
    ("full-width digits", {"amount": "１２"}, NO_NUMBER, DIGITS),
    ("Arabic digits", {"amount": "١٢"}, NO_NUMBER, DIGITS),
    ("an underscore", {"amount": "1_000"}, NO_NUMBER, DIGITS),
    ("amount a truth", {"amount": True}, NO_NUMBER, DIGITS),
    ("amount a list", {"amount": [12.5]}, NO_NUMBER, DIGITS),
    ("amount an object", {"amount": {"value": 12.5}}, NO_NUMBER, DIGITS),
    # other columns
    ("half a piece", {"pieces": 1.5}, "pieces: 1.5 is not whole", "round it"),
    ("pieces in words", {"pieces": "many"}, NO_NUMBER, DIGITS),
    ("too many pieces", {"pieces": 1001}, "pieces: 1001 is above the maximum 1000", "correct the value or the contract"),
    ("pieces of 64 bits", {"pieces": 2**63}, "beyond the limit of 10^13 units", "an identifier is text, not int"),
    ("a status that is not listed", {"status": "payed"}, "status: 'payed' is not allowed", "allowed: created, paid, 已取消"),
    ("a status in capitals", {"status": "PAID"}, "'PAID' is not allowed", "allowed: created, paid"),
    ("neither true nor false", {"gift": "maybe"}, "gift: 'maybe' is neither true nor false", "write true or false"),
    ("a truth of 2", {"gift": 2}, "gift: '2' is neither true nor false", "write true or false"),
    ("a due time in words", {"due": "tomorrow"}, f"due: 'tomorrow' {NO_TIME}", ISO),
    ("born in 1899", {"birthday": "1899-12-31"}, "lies outside 1900 to 2199", "correct the date"),
    ("born at ten o'clock", {"birthday": "1990-03-01 10:00"}, "has a time of day", "declare the column as time"),
    ("born on a leap day that was none", {"birthday": "1900-02-29"}, NO_TIME, ISO),
])  # fmt: skip

LINE: dict[str, Any] = {"line_id": "L1", "member_id": "M1", "created_at": 1772359200000, "price": "1.10", "quantity": 2}
LINES = _rows("lines", LINE, [
    ("before 1970", {"created_at": -5}, "lies outside 1970 to 2199", "whether it counts s, ms or us"),
    ("nanoseconds for milliseconds", {"created_at": 1772359200000000000}, "lies outside 1970 to 2199", "s, ms or us"),
    ("a date for milliseconds", {"created_at": "2026-03-01"}, NO_NUMBER, DIGITS),
    ("finer than a microsecond", {"created_at": "1772359200000.0001"}, "finer than a microsecond", "cut it"),
    ("a factor that is no number", {"price": "x"}, f"price: 'x' {NO_NUMBER}", DIGITS),
    ("a product beyond the limit", {"price": "99999999999", "quantity": 99999}, "total: ", "check the number and the scale"),
    ("a product of too many decimals", {"price": "1.111"}, "total: 2.222 has more than 2 decimals", "scale of 3"),
])  # fmt: skip

REFUND: dict[str, Any] = {"refund_id": "R1", "order_id": "G1", "created_at": "2026-03-01 10:00", "amount": "1.00"}
REFUNDS = _rows("refunds", REFUND, [
    ("no order", {"order_id": None}, "the row names no customer", "fill order_id"),
    ("an order as a list", {"order_id": ["G1"]}, NAME, TEXT_OR_NUMBER),
    ("an order with a zero byte", {"order_id": "G1\x00"}, "order_id: holds a character that cannot be seen", "remove it"),
])  # fmt: skip

CONSENT: dict[str, Any] = {"member_id": "M1", "channel": "sms", "purpose": "marketing", "granted": True, "at": "2026-03-01 10:00"}
CONSENTS = _rows("agreed", CONSENT, [
    ("perhaps", {"granted": "perhaps"}, "granted: 'perhaps' is neither true nor false", "write true or false"),
    ("not said", {"granted": ...}, "granted: a required value is missing", "fill it"),
    ("no channel", {"channel": ""}, "channel: a required value is missing", "fill it"),
    ("until some day", {"until": "some day"}, NO_TIME, ISO),
])  # fmt: skip

TAG: dict[str, Any] = {"member_id": "M1", "tag": "vip", "on": True, "at": "2026-03-01 10:00"}
TAGS = _rows("tagged", TAG, [
    ("a tag that is not declared", {"tag": "vpi"}, "tag: 'vpi' is not allowed", "allowed: talker, vip, 普通"),
    ("no tag", {"tag": None}, "tag: a required value is missing", "fill it"),
    ("on is no truth", {"on": "x"}, "on: 'x' is neither true nor false", "write true or false"),
])  # fmt: skip

SOURCES = [
    Bad("a source that is misspelt", "order", _TEXT.encode(), "there is no such source", "the shop's sources are agreed"),
    Bad("a source in capitals", "Orders", _TEXT.encode(), "there is no such source", "the shop's sources are agreed"),
    Bad("a source without a name", "", _TEXT.encode(), "there is no such source", "the shop's sources are agreed"),
    Bad("a row that is not there", "orders", None, "this is empty", ONE_OBJECT),
    Bad("a key of 10 MB", "orders", b"{}", "larger than 10 MB", "large columns", b"k" * 10_000_001),
]

# ---- change messages of Debezium -----------------------------------------------------------------------------
BLOCK: dict[str, Any] = {"connector": "postgresql", "schema": "public", "table": "sales", "lsn": 100}
SALE: dict[str, Any] = {"id": 901, "member": "M1", "sold_at": "2026-03-01 10:00:00", "amount": "12.50", "price": "AeJA", "note": "x"}
NO_OPERATION, KNOWN = "is no operation", "known are c, u, d, r, t and m"
CONNECTOR, TYPE = "check the connector", "check the column's type"


def sale(change: dict[str, Any] | None = None, **top: Any) -> bytes:
    """Return a message of Debezium: the good row changed, or other parts of the envelope."""
    row = {name: value for name, value in {**SALE, **(change or {})}.items() if value is not ...}
    return _json({"op": "c", "before": None, "after": row, "source": BLOCK}, top)


DEBEZIUM = _feed("sales", [
    ("an operation that is none", sale(op="x"), f"'x' {NO_OPERATION}", KNOWN),
    ("an operation in capitals", sale(op="C"), f"'C' {NO_OPERATION}", KNOWN),
    ("an operation of null", sale(op=None), f"'null' {NO_OPERATION}", KNOWN),
    ("an operation of 5", sale(op=5), f"'5' {NO_OPERATION}", KNOWN),
    ("an empty operation", sale(op=""), f"'' {NO_OPERATION}", KNOWN),
    ("no operation", sale(op=...), "no debezium message: it holds after, before, source", "a row must hold its key: id"),
    ("a truncate", sale(op="t"), "table public.sales was truncated", "send their deletes"),
    ("no after", sale(after=...), "the message carries no row in 'after'", CONNECTOR),
    ("after null", sale(after=None), "the message carries no row in 'after'", CONNECTOR),
    ("after a list", sale(after=[]), "has not the form of its kind", CONNECTOR),
    ("after a text", sale(after="x"), "the message is no JSON", "it must write JSON"),
    ("after empty", sale(after={}), "key column 'id' is not in the message", "correct 'key'"),
    ("before a text", sale(op="u", before="x"), "a text in 'before', and a row in 'after'", CONNECTOR),
    ("before a list", sale(op="u", before=[1]), "has not the form of its kind", CONNECTOR),
    ("a delete without before", sale(op="d", before=None), "the key id of a deleted row is not in the message", "REPLICA IDENTITY FULL"),
    ("a delete without a key", sale(op="d", before={"id": None}), "the key id of a deleted row is not in the message", "REPLICA IDENTITY FULL"),
    ("a source block of text", sale(source="x"), "has not the form of its kind", CONNECTOR),
    ("Cassandra", sale(source={"connector": "cassandra"}), "Cassandra's cells are not read", "through another database"),
    ("key null", sale({"id": None}), "id: the key is missing", "fill it"),
    ("no key", sale({"id": ...}), "key column 'id' is not in the message", "correct 'key'"),
    ("key in letters", sale({"id": "abc"}), NO_NUMBER, DIGITS),
    ("key with a fraction", sale({"id": 1.5}), "may be a floating-point number", "declare wire: number"),
    ("key of 65 bits", sale({"id": 2**64}), "beyond the limit of 10^13 units", "an identifier is text, not int"),
    ("key an object", sale({"id": {}}), "column 'id': {} is no number", TYPE),
    ("customer null", sale({"member": None}), "the row names no customer", "fill member"),
    ("customer an object", sale({"member": {}}), f"column 'member': {{}} {NAME}", "name another column"),
    ("customer a truth", sale({"member": True}), f"column 'member': true {NAME}", "name another column"),
    ("a new row without a column", sale({"amount": ...}), "a new row without amount", "send whole rows"),
    ("a new row with a placeholder", sale({"note": "__debezium_unavailable_value"}), "without all of its values", "REPLICA IDENTITY FULL"),
    ("an update of an unknown row", sale({"id": 902, "note": "__debezium_unavailable_value"}, op="u"), "does not carry note, and the row is not known here", "send whole rows"),
    ("a floating-point amount", sale({"amount": 12.5}), "12.5 may be a floating-point number", "declare wire: number"),
    ("digits or base64", sale({"amount": "1234"}), "may be digits, or a decimal in base64", "wire: base64"),
    ("an amount in letters", sale({"amount": "x"}), f"amount: 'x' {NO_NUMBER}", DIGITS),
    ("an amount of a list", sale({"amount": [1]}), "column 'amount': [1] is no number", TYPE),
    ("a struct with a scale of text", sale({"amount": {"scale": "2", "value": "BOI="}}), "is no decimal with a scale", CONNECTOR),
    ("a struct with a scale of 99", sale({"amount": {"scale": 99, "value": "BOI="}}), "a decimal of scale 99", "check the column"),
    ("a struct with wrong base64", sale({"amount": {"scale": 2, "value": "!!"}}), "is no base64", "check the connector's converter"),
    ("wrong signs of base64", sale({"price": "!!!!"}), "is no base64", "check the connector's converter"),
    ("base64 without its end", sale({"price": "AeJ"}), "is no base64", "check the connector's converter"),
    ("base64 with a line break", sale({"price": "AeJA\n"}), "is no base64", "check the connector's converter"),
    ("an empty base64", sale({"price": ""}), "column 'price': an empty decimal", CONNECTOR),
    ("base64 of 150 bytes", sale({"price": "A" * 200}), "a decimal of 150 bytes", "check the column"),
    ("a decimal that is not base64", sale({"price": 12}), "12 is no base64 text", "correct wire"),
    ("base64 beyond the limit", sale({"price": base64.b64encode(b"\x7f" * 8).decode()}), "beyond the limit of 10^13 units", "check the number"),
    ("no time", sale({"sold_at": None}), "sold_at: the event time is missing", "fill it"),
    ("a time without a unit", sale({"sold_at": 1772359200000}), "does not say its unit", "declare wire"),
    ("a time of true", sale({"sold_at": True}), f"true {NO_TIME}", TYPE),
    ("a time in words", sale({"sold_at": "yesterday"}), NO_TIME, ISO),
    ("the year 1950", sale({"sold_at": "1950-01-01"}), "lies outside 1970 to 2199", "correct the time"),
    ("the year 2250", sale({"sold_at": "2250-01-01"}), "lies outside 1970 to 2199", "correct the time"),
    ("nothing at all", b"", "the message is no JSON", "it must write JSON"),
    ("an empty object", b"{}", "no debezium message: it holds nothing", "a row must hold its key: id"),
    ("a list", b"[]", "the message is JSON, but no object", "check the converter and the topic"),
    ("cut short", sale()[:-30], "the message is no JSON", "it must write JSON"),
    ("Avro", b"\x00\x00\x00\x00\x01avro", "the message is no JSON", "it must write JSON"),
    ("UTF-16", sale().decode().encode("utf-16"), "the message is no JSON", "it must write JSON"),
    ("a byte order mark", b"\xef\xbb\xbf" + sale(), "the message is no JSON", "it must write JSON"),
    ("GBK", sale({"note": "中"}).decode().encode("gbk"), "the message is not UTF-8 (hex d6)", "the converter must write UTF-8"),
    ("half a character", sale().replace(b'"x"', b'"\\ud800"'), "surrogate", "it must write JSON"),
    ("NaN", sale().replace(b'"12.50"', b"NaN"), "the message is no JSON", "it must write JSON"),
    ("Infinity", sale().replace(b'"12.50"', b"Infinity"), "the message is no JSON", "it must write JSON"),
    ("nested without end", b'{"op":' * 10_000, "nested too deeply", "check who wrote it"),
    ("a column nested deeply", sale().replace(b'"x"', b"[" * 3000 + b"]" * 3000), "nested too deeply", "check who wrote it"),
    ("larger than 10 MB", sale({"note": "x" * 10_000_000}), "larger than 10 MB", "without its large columns"),
    ("a schema of no form", b'{"schema":{"type":"struct","fields":5},"payload":{"op":"c","after":{}}}', "has not the form of its kind", CONNECTOR),
    ("a payload of text", b'{"schema":{},"payload":"x"}', "the message is JSON, but no object", "check the converter and the topic"),
    ("CloudEvents", b'{"specversion":"1.0","data":{}}', "of another format", "set the connector's converter to JsonConverter"),
    ("Canal", b'{"data":[{"id":"1"}],"type":"INSERT","isDdl":false}', "of another format", "declare format.type: canal"),
    ("a tombstone with a key of no form", None, "the message is no JSON", "it must write JSON", b"\xff"),
    ("a tombstone with an empty key", None, "the key id of a deleted row is not in the message", "message key", b"{}"),
    ("a tombstone with a key in letters", None, f"id: 'x' {NO_NUMBER}", DIGITS, b'{"id": "x"}'),
])  # fmt: skip

# ---- Canal and Maxwell ---------------------------------------------------------------------------------------
VISIT: dict[str, Any] = {"id": "801", "member": "M1", "at": "2026-03-01 10:00:00", "cost": "5.00"}
VISITS = _rows(
    "visits",
    {"data": [VISIT], "database": "d", "table": "visits", "type": "INSERT", "isDdl": False, "es": 1, "mysqlType": {"cost": "decimal(10,2)"}},
    [
        ("an operation that is none", {"type": "REPLACE"}, "no canal message", "type must be INSERT, UPDATE, DELETE"),
        ("an operation in small letters", {"type": "insert"}, "no canal message", "type must be INSERT, UPDATE, DELETE"),
        ("no operation", {"type": None}, "no canal message", "type must be INSERT, UPDATE, DELETE"),
        ("a truncate", {"type": "TRUNCATE", "isDdl": True, "data": None}, "table d.visits was truncated", "send their deletes"),
        ("no rows", {"data": None}, "no canal message", "with 'data'"),
        ("rows as an object", {"data": {}}, "has not the form of its kind", CONNECTOR),
        ("a row of 5", {"data": [5]}, "has not the form of its kind", CONNECTOR),
        ("an empty row", {"data": [{}]}, "key column 'id' is not in the message", "correct 'key'"),
        ("a row without a column", {"data": [{"id": "801"}]}, "a new row without at, cost, member", "send whole rows"),
        ("no customer", {"data": [{**VISIT, "member": ""}]}, "the row names no customer", "fill member"),
        ("a cost in letters", {"data": [{**VISIT, "cost": "x"}]}, f"cost: 'x' {NO_NUMBER}", DIGITS),
        ("a tenth of a cent", {"data": [{**VISIT, "cost": "0.001"}]}, "has more than 2 decimals", "declare a scale of 3"),
        ("MySQL's time that is none", {"data": [{**VISIT, "at": "0000-00-00 00:00:00"}]}, NO_TIME, ISO),
        ("a cost that MySQL holds as double", {"mysqlType": {"cost": "double"}}, "may be a floating-point number", "round: half_even"),
        ("types of no form", {"mysqlType": 5}, "has not the form of its kind", CONNECTOR),
        ("old of no form", {"old": 5}, "has not the form of its kind", CONNECTOR),
        ("isDdl of no form", {"isDdl": "no"}, "has not the form of its kind", CONNECTOR),
        ("no object", b"5", "has not the form of its kind", CONNECTOR),
    ],
)  # fmt: skip

CALL: dict[str, Any] = {"id": 701, "member": "M1", "at": "2026-03-01 10:00:00", "seconds": 60}
CALLS = _rows(
    "calls",
    {"database": "d", "table": "calls", "type": "insert", "ts": 1772359200, "xid": 1, "data": CALL},
    [
        ("an operation that is none", {"type": "replace"}, "no maxwell message", "type must be insert, update, delete"),
        ("no operation", {"type": None}, "no maxwell message", "type must be insert, update, delete"),
        ("no row", {"data": None}, "no maxwell message", "type must be insert, update, delete"),
        ("a list of rows", {"data": [CALL]}, "has not the form of its kind", CONNECTOR),
        ("an empty row", {"data": {}}, "a column of the key (id) is not in the message", "correct 'key'"),
        ("a row without a column", {"data": {"id": 701}}, "a new row without at, member, seconds", "send whole rows"),
        ("a customer of a list", {"data": {**CALL, "member": []}}, f"column 'member': [] {NAME}", "name another column"),
        ("half a second", {"data": {**CALL, "seconds": 0.5}}, "may be a floating-point number", "declare wire: number"),
        ("seconds in letters", {"data": {**CALL, "seconds": "x"}}, f"seconds: 'x' {NO_NUMBER}", DIGITS),
        ("seconds beyond the limit", {"data": {**CALL, "seconds": 10**14}}, "beyond the limit of 10^13 units", "check the number"),
        ("no time", {"data": {**CALL, "at": None}}, "at: the event time is missing", "fill it"),
        ("old of no form", {"old": 5}, "has not the form of its kind", CONNECTOR),
        ("no JSON", b"x", "the message is no JSON", "it must write JSON"),
    ],
)  # fmt: skip

MESSAGES: list[Bad] = [*ROWS, *LINES, *REFUNDS, *CONSENTS, *TAGS, *SOURCES, *DEBEZIUM, *VISITS, *CALLS]
