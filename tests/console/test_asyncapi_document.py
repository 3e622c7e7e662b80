"""docs/asyncapi.yaml is what the code says, is AsyncAPI 3.0, and events over HTTP are as it says."""

from __future__ import annotations

import copy
import gzip
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from app import exits
from app.cli import main
from console.asyncapi import document, text
from engine.outcome import Decision, Transition
from sinks.deliveries.life import State
from sinks.events.deliveries import DeliveryChange, event_of_change
from sinks.events.effects import event_of_effect
from sinks.events.envelope import BATCH, Envelope
from sinks.events.wire import DATA
from tests.console.at_work import AtWork
from tests.sinks.history_shop import decision, transition

ROOT = Path(__file__).parents[2]
DESCRIBED = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))
# The AsyncAPI initiative's own (npm package @asyncapi/specs 6.11.1, Apache-2.0).
OFFICIAL = json.loads(gzip.decompress((ROOT / "tests/repository/asyncapi-3.0.0.json.gz").read_bytes()))


def faults(event: dict[str, Any], kind: str) -> list[str]:
    """Return in what an event in structured form is unlike its description."""
    payload = DESCRIBED["components"]["messages"][f"{kind}Event"]["payload"]
    schema = {**payload, "components": DESCRIBED["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(event)]


def test_the_file_is_what_the_code_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where this fails: tintype schema --events."""
    assert main(["schema", "--events", str(tmp_path)]) == exits.OK
    written = (tmp_path / "asyncapi.yaml").read_text(encoding="utf-8")
    assert written == text() == (ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["schema", "--events", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out) == document() == DESCRIBED


def test_it_is_asyncapi() -> None:
    official = Draft7Validator(OFFICIAL)
    assert [error.message for error in official.iter_errors(DESCRIBED)] == []
    broken = copy.deepcopy(DESCRIBED)
    broken["operations"]["sendDecision"]["action"] = "publish"
    assert [error.absolute_path[1] for error in official.iter_errors(broken)] == ["sendDecision"]


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [one for value in node.values() for one in references(value)]
        return [one for value in node for one in references(value)] if isinstance(node, list) else []

    found = references(DESCRIBED)
    assert len(found) > 20
    for reference in found:
        node = DESCRIBED
        for word in reference.removeprefix("#/").split("/"):
            node = node[word]


def test_the_types_have_the_fields_of_what_they_describe() -> None:
    for kind, made in (("tagChange", Transition), ("decision", Decision)):
        described = {one.name for one in msgspec.structs.fields(DATA[kind])}
        assert described == {one.name for one in fields(made)}


def every_event() -> list[tuple[str, Envelope]]:
    """Return events of each kind and type, with the kind."""
    effects = [
        *(transition(1, 0, change=change) for change in ("enter", "leave")),
        transition(1, 2, change="segment", mode="history", before="铂金", after=None, values={}),
        *(decision(1, 3, outcome=one) for one in ("act", "refused", "held", "contradicted")),
        decision(1, 4, cause={"source": "orders", "key": f"{5:032x}", "position": [0, 12, -1]}),
        decision(1, 5, figures={"age": 5, "of": "shop"}, values={"last(orders.状态)": "已付款", "x": None}),
    ]  # fmt: skip
    found = [
        ("decision" if "trigger" in one else "tagChange", event_of_effect(one, 1, "tea")) for one in effects
    ]
    for state in State:
        one = DeliveryChange(7, 1, 3, f"{5:032x}", "a" * 32, "hello", "sms", "hi", "marketing", 2,
                             state.value, 1, "sms/console", 1772294400.25, "")  # fmt: skip
        found.append(("deliveryChange", event_of_change(one, "茶")))
    return found


def test_every_event_is_as_described_and_what_is_not_would_be_told() -> None:
    for kind, made in every_event():
        event = json.loads(made.structured())
        assert faults(event, kind) == []
        for name in event:
            assert faults({key: value for key, value in event.items() if key != name}, kind) != []
        for name in event["data"]:
            less = {key: value for key, value in event["data"].items() if key != name}
            assert faults({**event, "data": less}, kind) != [], name
        assert faults({**event, "data": {**event["data"], "address": "13800000001"}}, kind) != []
        for wrong in ({"time": "now"}, {"id": "7"}, {"type": "tintype.other"}, {"subject": "M1"}):
            assert faults({**event, **wrong}, kind) != [], wrong


def test_both_forms_have_the_same_attributes_and_data() -> None:
    for _, made in every_event():
        event = json.loads(made.structured())
        headers = {name.removeprefix("ce_"): value.decode() for name, value in made.headers()}
        assert headers.pop("content-type") == event.pop("datacontenttype")
        assert event.pop("data") == made.data
        assert headers == event


def test_events_over_http_are_as_described(shop: AtWork) -> None:
    for kind, path in (("decision", "/v1/decisions"), ("deliveryChange", "/v1/delivery-changes")):
        found = shop.client.get(path, headers={"Accept": BATCH}).json()
        assert found
        assert [fault for one in found for fault in faults(one, kind)] == []


def test_the_server_shows_the_document_and_serves_its_paths(shop: AtWork) -> None:
    answer = shop.client.get("/asyncapi.yaml")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(answer.text) == DESCRIBED
    paths = shop.client.get("/openapi.json").json()["paths"]
    addresses = [one["address"] for one in DESCRIBED["channels"].values()]
    assert {one for one in addresses if one.startswith("/")} == {
        path for path, told in paths.items()
        if "text/event-stream" in told.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        and "stream" not in path
    }  # fmt: skip
