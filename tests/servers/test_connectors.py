"""Connectors from files, on a real Connect: created, changed, refused, restarted, paused, deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.servers.places import DEPLOY
from streams.debezium.apply import apply, validate
from streams.debezium.connectors import cause_of
from streams.debezium.drift import differences
from streams.debezium.files import ConnectorFile, read_file, read_files
from streams.errors import InputError
from tests.servers.feeds import Feed, changes
from tests.servers.waiting import wait_for


def test_a_file_is_created_then_left_alone_then_updated(postgres_orders: Feed) -> None:
    """What runs afterwards is what the file says; between, the difference is told setting by setting."""
    feed, file = postgres_orders, postgres_orders.file
    assert apply(feed.connectors, file, feed.kafka) == "created"
    wait_for(feed.is_running, "running")
    assert apply(feed.connectors, file, feed.kafka) == "unchanged"
    changed = feed.changed(**{"heartbeat.interval.ms": "2000"})
    running = feed.connectors.config(feed.name)
    assert running is not None
    told = [str(one) for one in differences(changed.config, running)]
    assert told == ["heartbeat.interval.ms: the file says 2000, 1000 runs"]
    assert apply(feed.connectors, changed, feed.kafka) == "updated"
    assert differences(changed.config, feed.connectors.config(feed.name) or {}) == []


def test_a_file_that_connect_finds_wrong_changes_nothing(postgres_orders: Feed) -> None:
    """Every setting that is wrong is told by its name; the connector is not created."""
    wrong = postgres_orders.changed(**{"decimal.handling.mode": "strings", "database.dbname": ""})
    told = [error.where for error in validate(postgres_orders.connectors, wrong)]
    assert [where.split(": ")[1] for where in told] == ["database.dbname", "decimal.handling.mode"]
    with pytest.raises(InputError, match=r"database\.dbname"):
        apply(postgres_orders.connectors, wrong, postgres_orders.kafka)
    assert postgres_orders.connectors.config(postgres_orders.name) is None


def test_a_paused_connector_reads_nothing_and_goes_on_where_it_was(postgres_orders: Feed) -> None:
    feed = postgres_orders
    feed.apply()
    feed.messages(2)
    feed.connectors.pause(feed.name)
    wait_for(lambda: feed.state() == "PAUSED", "paused")
    feed.database.run("INSERT INTO orders VALUES ('P1', 1, 'paid')")
    feed.connectors.resume(feed.name)
    assert changes(feed.messages(3))[-1] == ("c", None, "paid")


def test_a_failed_task_tells_its_cause_and_runs_again_after_a_restart(postgres_orders: Feed) -> None:
    """Its publication is gone when it starts, then made again."""
    feed, name = postgres_orders, postgres_orders.name
    feed.database.run(f"DROP PUBLICATION {name}")
    feed.connectors.put(name, feed.config)
    (cause,) = wait_for(feed.failures, "failed")
    assert "publication" in cause.lower()
    feed.database.run(f"CREATE PUBLICATION {name} FOR TABLE orders, tintype_signal, tintype_heartbeat")
    feed.connectors.restart(name, only_failed=True)
    wait_for(lambda: feed.state() == "RUNNING" and not feed.failures(), "running again")


def test_a_deleted_connector_is_gone_and_deleting_it_again_says_so(postgres_orders: Feed) -> None:
    feed = postgres_orders
    feed.apply()
    feed.connectors.delete(feed.name)
    wait_for(lambda: feed.name not in feed.connectors.names(), "gone")
    with pytest.raises(InputError, match="not found"):
        feed.connectors.delete(feed.name)


def test_the_files_of_the_repository_are_connectors_without_secrets() -> None:
    files = read_files(DEPLOY / "connectors")
    assert sorted(files) == ["shop-mariadb", "shop-postgres"]
    assert files["shop-postgres"].list("signal.enabled.channels") == ["source", "kafka"]


GOOD = {"connector.class": "X", "topic.prefix": "shop"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", "is no JSON"),
        ('{"name": "a"}', "is no connector"),
        (json.dumps({"name": "a b", "config": GOOD}), "is no name"),
        (json.dumps({"name": "a", "config": GOOD | {"tasks.max": 1}}), "tasks.max: 1 is no text"),
        (json.dumps({"name": "a", "config": GOOD | {"database.password": "hunter2"}}), "a secret stands in"),
        (
            json.dumps({"name": "a", "config": GOOD | {"database.password": "${env:X}!"}}),
            "a secret stands in",
        ),
        (json.dumps({"name": "a", "config": {"connector.class": "X"}}), "has no 'topic.prefix'"),
    ],
)
def test_a_file_that_is_no_connector_is_refused(tmp_path: Path, body: str, problem: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(body)
    with pytest.raises(InputError, match=problem) as refused:
        read_file(path)
    assert "hunter2" not in str(refused.value)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": "same", "config": GOOD}))
    with pytest.raises(InputError, match=r"b.json: a.json has the name 'same' too"):
        read_files(tmp_path)


def test_a_variable_that_is_not_set_is_named() -> None:
    file = ConnectorFile("a.json", "a", GOOD | {"database.password": "${env:NO_SUCH}"})
    with pytest.raises(InputError, match="the variable NO_SUCH is not set here"):
        file.resolved({})
    assert file.resolved({"NO_SUCH": "x"})["database.password"] == "x"


def test_the_cause_of_a_trace_is_its_last_cause() -> None:
    trace = "a.B: outer\n\tat x\nCaused by: c.D: middle\n\tat y\nCaused by: e.F: inner\n\t... 2 more\n"
    assert cause_of(trace) == "e.F: inner"
    assert cause_of("a.B: outer\n\tat x") == "a.B: outer"
