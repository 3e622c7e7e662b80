"""Documents of MongoDB: Extended JSON, the forms of ``_id``, updates that carry only what changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.cdc.change import Refused, RowChange
from streams.cdc.mongodb import plain
from streams.cdc.open import open_decoder
from streams.contract.source import Source

BLOCK = {"connector": "mongodb", "db": "shop", "collection": "orders", "ts_ms": 1558965508000, "ord": 6}
ID = "596e275826f08b2730779e1f"
DOCUMENT = {
    "_id": {"$oid": ID}, "member": "M1", "at": {"$date": 1558965508000},
    "amount": {"$numberDecimal": "19.90"}, "tags": ["a"],
}  # fmt: skip
VALUES = {"_id": ID, "member": "M1", "at": "2019-05-27T13:58:28+00:00", "amount": "19.90", "tags": '["a"]'}


def source(**amount: Any) -> Source:
    return Source.model_validate(
        {
            "name": "orders", "format": {"type": "debezium"}, "key": ["_id"], "event_time": {"column": "at"},
            "references": [{"type": "member", "column": "member"}],
            "columns": {"amount": {"type": "decimal", "scale": 2, **amount}, "tags": {"type": "text"}},
        }
    )  # fmt: skip


def decode(op: str, key: Any = None, of: Source | None = None, **more: Any) -> RowChange:
    texts = {name: json.dumps(more[name]) for name in ("after", "before") if isinstance(more.get(name), dict)}
    value = json.dumps({"op": op, "source": BLOCK, **more, **texts}).encode()
    decoded = open_decoder(of or source()).decode(None if key is None else json.dumps(key).encode(), value)
    assert isinstance(decoded, tuple)
    return decoded[0]


def test_a_document_is_a_row_of_its_top_level_fields() -> None:
    for op, expected in (("c", "insert"), ("r", "read"), ("u", "update")):
        change = decode(op, after=DOCUMENT, before=DOCUMENT)
        assert (change.op, change.values, change.missing) == (expected, VALUES, frozenset())
        assert (change.table, change.position) == ("shop.orders", 1558965508 << 31 | 6)
    assert decode("c", after={"_id": 5}).values == {**dict.fromkeys(VALUES), "_id": "5"}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"id": '{"$oid": "596e275826f08b2730779e1f"}'}, ID),
        ({"id": '"596e275826f08b2730779e1f"'}, ID),
        ({"id": ID}, ID),
        ({"id": "1004"}, "1004"),
        ({"id": '{"$numberLong": "1004"}'}, "1004"),
        ({"id": '{"a": 1,"b": "x"}'}, '{"a":1,"b":"x"}'),
        ({"schema": {}, "payload": {"id": "1004"}}, "1004"),
        ({"_id": 1004}, "1004"),
    ],
)
def test_a_delete_names_its_document_in_the_message_key(key: Any, text: str) -> None:
    change = decode("d", key, before=None, after=None)
    assert (change.op, change.key_values, change.values) == ("delete", {"_id": text}, {})


def test_a_delete_with_a_pre_image_needs_no_message_key() -> None:
    assert decode("d", before=DOCUMENT).key_values == {"_id": ID}
    for key in (None, {"x": 1}, [1]):
        with pytest.raises(Refused, match="message key"):
            decode("d", key, before=None, after=None)


PARTIAL: list[tuple[dict[str, Any], dict[str, str | None]]] = [
    ({"updateDescription": {"removedFields": ["tags"], "updatedFields": '{"amount": 5, "x.y": 1}'}},
     {"_id": ID, "amount": "5", "tags": None}),
    ({"updateDescription": {"removedFields": None, "updatedFields": None, "truncatedArrays": None}},
     {"_id": ID}),
    ({"patch": '{"$v": 1, "$set": {"member": "M2"}, "$unset": {"tags": true}}'},
     {"_id": ID, "member": "M2", "tags": None}),
]  # fmt: skip


@pytest.mark.parametrize(("more", "values"), PARTIAL)
def test_an_update_without_the_document_carries_what_changed(
    more: dict[str, Any], values: dict[str, str | None]
) -> None:
    change = decode("u", {"id": '{"$oid": "596e275826f08b2730779e1f"}'}, after=None, **more)
    assert (change.op, change.values) == ("update", values)
    assert change.missing == VALUES.keys() - values.keys()


def test_a_patch_that_is_a_document_replaces_the_row() -> None:
    change = decode("u", after=None, patch=json.dumps(DOCUMENT))
    assert (change.values, change.missing) == (VALUES, frozenset())


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"updateDescription": {"updatedFields": '{"tags.0": "b"}'}}, "only a part of column 'tags'"),
        ({"updateDescription": {"truncatedArrays": [{"field": "tags.x", "newSize": 1}]}}, "only a part"),
        ({"updateDescription": {"truncatedArrays": [{"field": "tags", "newSize": 1}]}}, "only a part"),
        ({"updateDescription": {"updatedFields": "[1]"}}, "no JSON object"),
        ({"updateDescription": {"removedFields": "tags"}}, "no known form"),
        ({"patch": '{"$set": [1]}'}, "no known form"),
        ({}, "without what changed"),
        ({"updateDescription": {"updatedFields": '{"amount": 2.5}'}}, "floating-point"),
    ],
)
def test_a_part_of_a_column_is_refused_with_the_capture_mode_to_set(
    more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Refused, match=problem):
        decode("u", {"id": "1"}, after=None, **more)


@pytest.mark.parametrize(
    ("extended", "value"),
    [
        ({"$oid": "a1"}, "a1"), ({"$numberInt": "-5"}, -5), ({"$numberLong": "1004"}, 1004),
        ({"$numberDouble": "3.14"}, b"3.14"), ({"$numberDouble": "NaN"}, b"NaN"),
        ({"$numberDecimal": "3.140"}, "3.140"), ({"$date": "2026-03-01T08:00:00Z"}, "2026-03-01T08:00:00Z"),
        ({"$date": {"$numberLong": "0"}}, "1970-01-01T00:00:00+00:00"),
        ({"$timestamp": {"t": 60, "i": 2}}, "1970-01-01T00:01:00+00:00"),
        ({"$binary": "AQI=", "$type": "00"}, "AQI="),
        ({"$binary": {"base64": "AQI=", "subType": "00"}}, "AQI="), ({"$uuid": "u"}, "u"),
        ({"$undefined": True}, None), ({"$minKey": 1}, {"$minKey": 1}),
        ({"a": {"$oid": "b"}}, {"a": {"$oid": "b"}}),
        ({}, {}), (5, 5), (None, None), ({"$numberLong": "x"}, {"$numberLong": "x"}),
    ],
)  # fmt: skip
def test_extended_json_is_brought_to_plain_json(extended: Any, value: Any) -> None:
    assert plain(extended) == value


def test_a_double_is_refused_unless_the_source_says_how_to_round() -> None:
    for double in (2.499, {"$numberDouble": "2.499"}):
        with pytest.raises(Refused, match="floating-point"):
            decode("c", after=DOCUMENT | {"amount": double})
        assert (
            decode("c", of=source(round="half_up"), after=DOCUMENT | {"amount": double}).values["amount"]
            == "2.50"
        )
    with pytest.raises(Refused, match="no number"):
        decode("c", of=source(round="half_up"), after=DOCUMENT | {"amount": {"$numberDouble": "NaN"}})
