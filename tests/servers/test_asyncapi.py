"""docs/asyncapi.yaml against real messages: it is what consumers of the topics go by."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from deploy.servers.places import Place
from tests.servers.topic_reader import Seen
from tests.servers.topic_shop import Shop, new_shop, run
from tests.sinks.history_shop import decision, transition

ROOT = Path(__file__).resolve().parents[2]
DESCRIBED = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def shop(kafka: Place, name: str) -> Shop:
    return new_shop(kafka, name)


def problems(message: Seen, what: str) -> list[str]:
    """Return in what a message is unlike its description."""
    described = {**DESCRIBED["components"]["messages"][what], "components": DESCRIBED["components"]}
    found = []
    for part, value in (("headers", message.headers), ("payload", message.body)):
        schema = {**described[part], "components": described["components"]}
        found += [f"{part}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]
    key = {**described["bindings"]["kafka"]["key"], "components": described["components"]}
    return found + [f"key: {error.message}" for error in Draft202012Validator(key).iter_errors(message.key)]


def test_the_messages_are_as_the_document_says(shop: Shop) -> None:
    """docs/asyncapi.yaml, for everything that an effect can be; and it would tell what is not so."""
    effects = [
        transition(1, 0, change="enter"), transition(1, 1, change="leave", mode="history"),
        transition(1, 2, change="segment", before="铂金", after=None, values={}),
        decision(1, 3, cause={"source": "orders", "key": f"{5:032x}", "position": [0, 12, -1]}),
        decision(1, 4, outcome="refused", guard="late", figures={"age": 5, "max_age": 3}, status="shadow"),
        decision(1, 5, outcome="contradicted", values={"last(orders.状态)": "已付款"}),
    ]  # fmt: skip
    shop.outbox.effects[1] = effects

    async def work() -> None:
        await shop.relayed()
        messages = await shop.seen()
        assert len(messages) == 6
        for one in messages:
            what = "decisionMessage" if one.topic == shop.topics.decisions else "tagChangeMessage"
            assert problems(one, what) == []
            for name in one.body:
                less = {key: value for key, value in one.body.items() if key != name}
                assert problems(Seen(one.topic, 0, one.key, one.headers, less), what) != []
            late = {**one.headers, "ce_time": "now"}
            assert problems(Seen(one.topic, 0, one.key, late, one.body), what) != []
            assert problems(Seen(one.topic, 0, "M1", one.headers, one.body), what) != []

    run(work)


def test_the_document_names_the_topics(shop: Shop) -> None:
    told = [one["address"].format(shop=shop.topics.shop) for one in DESCRIBED["channels"].values()]
    assert {one for one in told if not one.startswith("/")} == set(shop.topics.of_events.values())
