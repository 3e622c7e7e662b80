"""Signals and what connectors say of themselves, on real servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

import pytest

from streams.debezium.files import ConnectorFile
from streams.debezium.notifications import Notification, heartbeat_age_s, notifications
from streams.debezium.signals import Kind, Signal, Way, check, send
from streams.errors import InputError
from tests.servers.feeds import Feed, changes
from tests.servers.waiting import wait_for

MANY = "INSERT INTO orders SELECT 'M' || n, n, 'paid' FROM generate_series(1, 300) AS n"


def _told(feed: Feed, signal: Signal) -> list[Notification]:
    return [one for one in notifications(feed.kafka, feed.file) if one.id == signal.id]


def _wait_for(feed: Feed, signal: Signal, kind: str) -> list[Notification]:
    return wait_for(lambda: [one for one in _told(feed, signal) if one.kind == kind], f"{kind} told")


@pytest.mark.parametrize("way", ["table", "topic"])
def test_a_snapshot_is_taken_again_by_a_signal(
    postgres_orders: Feed, environment: Mapping[str, str], way: Way
) -> None:
    """Its rows come as `r` with snapshot "incremental"; the notifications carry the signal's id."""
    feed = postgres_orders
    feed.apply()
    feed.messages(2)
    signal = Signal("execute-snapshot", ("public.orders",), where="status = 'paid'")
    send(feed.file, signal, way, feed.kafka, environment)
    again = [json.loads(one.value) for one in feed.messages(3)][2:]
    assert [(one["op"], one["source"]["snapshot"], one["after"]["order_id"]) for one in again] == [
        ("r", "incremental", "A1")
    ]
    _wait_for(feed, signal, "COMPLETED")
    assert next(one.kind for one in _told(feed, signal)) == "STARTED"


@pytest.mark.xdist_group("mariadb")  # a test of this group changes a setting of the server
def test_a_snapshot_is_taken_again_by_a_signal_in_mariadb(
    mariadb_orders: Feed, environment: Mapping[str, str]
) -> None:
    feed = mariadb_orders
    feed.apply()
    feed.messages(2)
    send(feed.file, Signal("execute-snapshot", (feed.table,)), "table", feed.kafka, environment)
    assert [json.loads(one.value)["op"] for one in feed.messages(4)] == ["r"] * 4


def test_a_snapshot_is_paused_resumed_and_stopped(
    postgres_orders: Feed, environment: Mapping[str, str]
) -> None:
    """Row by row, so that there is time in between; a stopped one has not read every row."""
    feed = postgres_orders
    feed.config |= {"incremental.snapshot.chunk.size": "1"}
    feed.database.run(MANY)
    feed.apply()
    feed.messages(302)
    signal = Signal("execute-snapshot", ("public.orders",))
    send(feed.file, signal, "table", feed.kafka, environment)
    _wait_for(feed, signal, "IN_PROGRESS")
    steps: list[tuple[Kind, str]] = [
        ("pause-snapshot", "PAUSED"),
        ("resume-snapshot", "RESUMED"),
        ("stop-snapshot", "ABORTED"),
    ]
    for kind, told in steps:
        send(feed.file, Signal(kind), "table", feed.kafka, environment)
        wait_for(partial(_is_told, feed, told), f"{told} told")
    feed.database.run("INSERT INTO orders VALUES ('Z', 1, 'last')")
    wait_for(lambda: ("c", None, "last") in changes(feed.messages(1)), "the last row")
    assert len(feed.messages(1)) < 302 + 302 + 1


def _is_told(feed: Feed, kind: str) -> bool:
    return kind in [one.kind for one in notifications(feed.kafka, feed.file)]


def test_a_quiet_connector_beats(postgres_orders: Feed) -> None:
    """Its heartbeat's age is that of the last one; without a topic of heartbeats there is none."""
    feed = postgres_orders
    assert heartbeat_age_s(feed.kafka, feed.file) is None
    feed.apply()
    age = wait_for(lambda: heartbeat_age_s(feed.kafka, feed.file), "a heartbeat")
    assert age is not None
    assert 0 <= age < 60


GOOD = {
    "connector.class": "x.PostgresConnector", "topic.prefix": "shop", "table.include.list": "public.orders",
    "signal.data.collection": "public.s", "signal.kafka.topic": "t",
}  # fmt: skip


@pytest.mark.parametrize(
    ("signal", "way", "changed", "problem"),
    [
        (Signal("execute-snapshot"), "table", {}, "no table is named"),
        (Signal("execute-snapshot", ("public.x",)), "table", {}, "does not read it"),
        (Signal("execute-snapshot", ("a.b", "c.d"), "x"), "table", {"table.include.list": ""}, "exactly one"),
        (Signal("pause-snapshot"), "topic", {"signal.enabled.channels": "source"}, "no signals by topic"),
        (
            Signal("pause-snapshot"),
            "table",
            {"signal.data.collection": ""},
            "has no 'signal.data.collection'",
        ),
    ],
)
def test_a_signal_that_would_not_be_heeded_is_refused(
    signal: Signal, way: Way, changed: dict[str, str], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        check(ConnectorFile("a.json", "a", GOOD | changed), signal, way)
