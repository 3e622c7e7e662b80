"""Whatever the bytes, a decoder answers or refuses; nothing else is raised, and nothing is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.cdc.change import ChangeDecoder, Counted, Decoded, Refused
from streams.cdc.open import open_decoder
from streams.cdc.positions import SourceBlock
from streams.contract.source import Source
from tests.streams.cdc_declare import declare
from tests.streams.cdc_fixtures import FOLDER, fixtures
from tests.streams.test_cdc_canal_maxwell import canal, maxwell
from tests.streams.test_cdc_debezium import AT, MYSQL, POSTGRES, ROW, envelope, message

COLUMNS = {
    "a": {"type": "decimal", "scale": 2}, "b": {"type": "time", "zone": "UTC"}, "c": {"type": "date"},
    "d": {"type": "bool"}, "e": {"type": "text"}, "f": {"type": "int", "round": "down"},
    "g": {"type": "decimal", "wire": "base64", "wire_scale": 2}, "h": {"type": "text", "wire": "us_of_day"},
}  # fmt: skip
NAMES = [
    *COLUMNS, "id", "_id", "after", "before", "op", "source", "schema", "payload", "fields", "field", "type",
    "name", "parameters", "scale", "value", "data", "old", "database", "table", "isDdl", "mysqlType",
    "position", "connector", "lsn", "file", "pos", "collection", "updateDescription", "updatedFields",
    "patch", "__op", "__deleted", "ts_ms", "snapshot", "$date", "$numberLong", "$set",
]  # fmt: skip
WORDS = [
    "c", "u", "d", "r", "t", "m", "INSERT", "UPDATE", "DELETE", "insert", "update", "struct", "bytes",
    "mongodb", "mysql", "sqlserver", "double", "array", "io.debezium.data.Bits",
    "io.debezium.time.MicroTimestamp", "org.apache.kafka.connect.data.Decimal",
    "io.debezium.data.VariableScaleDecimal", "true", "12.5", "1234", "EtaH", AT, "0001-01-01", '{"_id": 1}',
    "[1]", "\x1f", "",
]  # fmt: skip


def source(form: str, key: str) -> Source:
    return Source.model_validate(
        {
            "name": "t", "format": {"type": form}, "key": [key], "event_time": {"column": "b", "zone": "UTC"},
            "references": [{"type": "id", "column": key}], "columns": COLUMNS,
        }
    )  # fmt: skip


DECODERS = [source(form, key) for form in ("debezium", "canal", "maxwell") for key in ("id", "_id")]
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(WORDS) | st.text(max_size=8)
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)
ROWS = st.dictionaries(st.sampled_from([*COLUMNS, "id", "_id"]), TREES, min_size=1, max_size=8)
BLOCKS = st.dictionaries(st.sampled_from([*SourceBlock.__struct_fields__]), LEAVES, max_size=8)
ENVELOPES = st.fixed_dictionaries(
    {"op": st.sampled_from(["c", "u", "d", "r"]), "source": BLOCKS},
    optional={"after": ROWS | TREES, "before": ROWS, "updateDescription": TREES, "patch": TREES},
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), TREES, max_size=8) | ROWS | ENVELOPES


def answers(decoder: ChangeDecoder, key: bytes | None, value: bytes | None) -> Decoded | str:
    """Return what the decoder says; anything but Refused comes out as it is."""
    try:
        decoded = decoder.decode(key, value)
    except Refused as refused:
        return str(refused)
    if not isinstance(decoded, Counted):
        for change in decoded:
            held = {**change.values, **change.key_values}
            assert all(text is None or isinstance(text, str) for text in held.values())
            "".join(text or "" for text in held.values()).encode()  # the log keeps UTF-8
            assert change.position is None or 0 <= change.position < 2**63
            assert not change.missing & change.values.keys()
    return decoded


@given(st.sampled_from(DECODERS), st.none() | st.binary(max_size=40), st.none() | st.binary(max_size=200))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_bytes_are_answered_or_refused(of: Source, key: bytes | None, value: bytes | None) -> None:
    answers(open_decoder(of), key, value)


@given(st.sampled_from(DECODERS), TREES, OBJECTS, st.lists(OBJECTS, max_size=2))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_any_json_of_known_names_is_answered_or_refused_the_same_after_others(
    of: Source, key: Any, tree: dict[str, Any], before: list[dict[str, Any]]
) -> None:
    """A tombstone alone depends on what came before, and that by design."""
    used = open_decoder(of)
    for earlier in before:
        answers(used, None, message(earlier))
    expected = answers(open_decoder(of), message(key), message(tree))
    again = answers(used, message(key), message(tree))
    tombstone = tree.get("payload", tree) is None
    assert tombstone or again == expected


@st.composite
def mutated(draw: st.DrawFn, messages: Callable[[], list[bytes]]) -> bytes:
    value = bytearray(draw(st.sampled_from(messages())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(value)))
        cut = draw(st.integers(0, 12))
        new = draw(
            st.binary(max_size=4)
            | st.sampled_from([b"null", b"[]", b"{}", b'""', b"1e999", b"-1", b'"\\ud800"'])
        )
        value[at : at + cut] = new
    return bytes(value)


def written() -> list[bytes]:
    decimal = {"name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}}
    schema = {"type": "struct", "fields": [
        {"type": "struct", "field": "after", "fields": [
            {"type": "bytes", "field": "a", **decimal},
            {"type": "int64", "field": "b", "name": "io.debezium.time.MicroTimestamp"},
        ]}, {"type": "string", "field": "op"},
    ]}  # fmt: skip
    row = {"id": 7, "a": "12.50", "b": AT, "c": "2026-03-01", "d": True, "e": "好", "f": 5, "h": 7}
    payload = json.loads(envelope("u", MYSQL, before={"id": 6}, after=row | {"a": "EtaH", "b": 5}))
    return [
        envelope("c", POSTGRES, after=row), message({"schema": schema, "payload": payload}),
        message(row | {"__op": "u", "__lsn": 5, "__deleted": "false"}),
        canal("UPDATE", row, old=[{"id": "6"}]), maxwell("update", row, old={"id": 6}, position="b.000001:4"),
        envelope("d", before={"id": 7}),
        envelope("u", {"connector": "mongodb", "collection": "x"}, updateDescription={"updatedFields": "{}"}),
        message(ROW),
    ]  # fmt: skip


@given(st.sampled_from(DECODERS), mutated(written))
@settings(max_examples=1000, derandomize=True, deadline=None)
def test_a_damaged_message_is_answered_or_refused(of: Source, value: bytes) -> None:
    decoder = open_decoder(of)
    for key in (None, b'{"id":1}', value):
        answers(decoder, key, value)


@pytest.mark.data
def test_a_damaged_message_of_the_files_is_answered_or_refused() -> None:
    if not FOLDER.is_dir():
        pytest.skip("../shared/data/cdc is not here")
    whole = [fixture for fixture in fixtures() if fixture.value and len(fixture.value) < 20_000]

    @given(
        st.sampled_from(whole), mutated(lambda: [b""]), st.integers(0, 400), st.integers(0, 20), st.booleans()
    )
    @settings(max_examples=600, derandomize=True, deadline=None)
    def damaged(fixture: Any, new: bytes, at: int, cut: int, typed: bool) -> None:
        place = len(fixture.value) * at // 400
        value = fixture.value[:place] + new + fixture.value[place + cut :]
        answers(open_decoder(declare(fixture.form, fixture.key, fixture.value, typed)), fixture.key, value)

    damaged()
