"""`/metrics`: names by Prometheus' customs, and figures that are so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sinks.deliveries.switches import ask
from streams.errors import InputError
from tests.app.little_shop import GOOD
from tests.console.at_work import MINUTE, AtWork, at_work, order, states, wait_for


def read(shop: AtWork) -> dict[str, float]:
    """Return every sample by its name and labels."""
    found = {}
    for family in text_string_to_metric_families(shop.client.get("/metrics").text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_the_figures_are_those_of_the_shop(fresh: AtWork) -> None:
    fresh.send("orders", order("A1", "M1"), order("A2", "M2", "x"))
    fresh.send("orders", order("A3", "M1"))
    wait_for(lambda: states(fresh) == ["sent"] * 2)  # until then they are claimed, and counted as unknown
    found = read(fresh)
    head = fresh.opened.store.head(0)
    assert found["tintype_messages_total"] == 3
    assert found["tintype_messages_rejected_total"] == 1
    assert found["tintype_batches_total"] == 2
    assert found["tintype_batch_messages_count"] == 2
    assert found["tintype_batch_messages_sum"] == 3
    assert found["tintype_batch_messages_bucket{le=1}"] == 1
    assert found["tintype_append_seconds_count"] == 2
    assert found["tintype_commit_seconds_count"] == found["tintype_commits_total"] >= 2
    assert found["tintype_records_total{partition=0}"] == head.step
    assert found["tintype_effects_total{partition=0}"] == head.effects > 0
    assert found["tintype_clock_timestamp_seconds{partition=0}"] == MINUTE * 60
    assert found["tintype_dead_letters{source=orders,state=waiting}"] == 1
    assert (found["tintype_lag_seconds"], found["tintype_ready"], found["tintype_store_up"]) == (0, 1, 1)
    assert (found["tintype_store_away_seconds"], found["tintype_deliveries_unknown"]) == (0, 0)
    assert found["tintype_switched_off"] == 0
    ask(fresh.opened.ledger, "channel/sms", "off", "a test", 0.0)
    wait_for(lambda: read(fresh)["tintype_switched_off"] == 1)
    path = "method=POST,path=/v1/sources/{name},status=200"
    assert found[f"tintype_http_requests_total{{{path}}}"] == 2


def test_what_the_relays_have_not_taken_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of history that is full, a provider that hangs: seen before memory is short."""

    def full(*_: object) -> None:
        raise InputError("history", "no room", "make some")

    monkeypatch.setattr("sinks.history.embedded.ChdbHistory.write", full)
    monkeypatch.setattr("app.sending.turns.AGAIN_SECONDS", 0.05)
    with at_work(tmp_path, {"tintype.toml": GOOD["tintype.toml"]}) as shop:
        shop.send("orders", order("A1", "M1"), order("A2", "M2"))
        head = shop.opened.store.head(0)
        wait_for(lambda: read(shop)["tintype_history_waiting"] == head.step + head.effects)
        wait_for(lambda: read(shop)["tintype_history_lag_seconds"] > 0)
        found = read(shop)
        assert found["tintype_outbox_effects{partition=0}"] == head.effects > 0
        assert found["tintype_outbox_bytes{partition=0}"] > 100


def test_what_the_relays_have_taken_over_does_not_wait(fresh: AtWork) -> None:
    fresh.send("orders", order("A1", "M1"))
    wait_for(lambda: read(fresh)["tintype_outbox_effects{partition=0}"] == 0)
    assert (read(fresh)["tintype_history_waiting"], read(fresh)["tintype_history_lag_seconds"]) == (0, 0)


def test_no_path_of_a_stranger_becomes_a_label(fresh: AtWork) -> None:
    for number in range(5):
        fresh.client.get(f"/nothing/{number}")
    found = read(fresh)
    assert found["tintype_http_requests_total{method=GET,path=(other),status=404}"] == 5
    assert not any("/nothing" in name for name in found)


def test_names_carry_their_unit(shop: AtWork) -> None:
    for family in text_string_to_metric_families(shop.client.get("/metrics").text):
        assert re.fullmatch(r"tintype_[a-z_]+", family.name)
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples), family.name
