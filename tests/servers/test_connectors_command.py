"""``tintype connectors`` on real servers: what it prints, and its exit codes (docs/cli.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from app.cli import main
from tests.app.little_shop import write_shop
from tests.servers.feeds import Feed
from tests.servers.waiting import wait_for

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(
    tmp_path: Path,
    postgres_orders: Feed,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Run one action with --json on a shop with the feed's file; return exit code and document."""
    connect = postgres_orders.connectors.rest.url
    for name, value in (environment | {"TINTYPE_CONNECT": connect}).items():
        monkeypatch.setenv(name, value)
    folder = write_shop(tmp_path / "shop", {})
    (folder / "connectors").mkdir()
    write_file(folder, postgres_orders)

    def run(*words: str) -> tuple[int, Any]:
        code = main(["connectors", str(folder), *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def write_file(folder: Path, feed: Feed, **changed: str) -> None:
    body = {"name": feed.name, "config": feed.config | changed}
    (folder / "connectors" / f"{feed.name}.json").write_text(json.dumps(body), encoding="utf-8")


def _one(document: Any, name: str) -> Any:
    (found,) = [one for one in document["connectors"] if one["name"] == name]
    return found


def test_a_connector_is_checked_applied_shown_and_deleted(
    call: Call, postgres_orders: Feed, tmp_path: Path
) -> None:
    """List and show end with 1 until it runs as its file says, and again when the file was changed since."""
    name = postgres_orders.name
    code, document = call("list")
    assert (code, _one(document, name)["is"]) == (1, "does not run")
    assert call("check") == (0, {"errors": []})
    assert call("apply") == (0, {"connectors": {name: {"outcome": "created"}}})
    postgres_orders.messages(2)
    wait_for(lambda: call("show", name)[0] == 0, "good")
    write_file(tmp_path / "shop", postgres_orders, **{"heartbeat.interval.ms": "7000"})
    code, document = call("show", name)
    shown = _one(document, name)
    assert (code, shown["is"]) == (1, "1 settings differ")
    assert shown["differences"] == [{"key": "heartbeat.interval.ms", "file": "7000", "running": "1000"}]
    for action, outcome in (
        ("pause", "paused"),
        ("resume", "resumed"),
        ("restart", "restarted"),
        ("delete", "deleted"),
    ):
        assert call(action, name) == (0, {"connectors": {name: {"outcome": outcome}}})


def test_lag_and_replay_are_told_by_group_and_partition(call: Call, postgres_orders: Feed) -> None:
    """A group behind the two rows of the snapshot; set back by time, it has them before it again."""
    feed = postgres_orders
    feed.apply()
    ends: dict[int, int] = {}
    for message in feed.messages(2):
        ends[message.partition] = message.offset + 1
    consumer = KafkaConsumer(bootstrap_servers=feed.kafka, group_id=feed.name, enable_auto_commit=False)
    consumer.commit(
        {TopicPartition(feed.topic, n): OffsetAndMetadata(end, "", -1) for n, end in ends.items()}
    )
    consumer.close()
    (group,) = {one["group"] for one in _lag(call, feed) if one["topic"] == feed.topic}
    assert group == feed.name
    assert sum(one["rows"] for one in _lag(call, feed) if one["topic"] == feed.topic) == 0
    code, document = call("replay", feed.name, "--group", feed.name, "--from", "2020-01-01 00:00")
    moved = {(one["partition"], one["after"]) for one in document["moved"] if one["topic"] == feed.topic}
    assert (code, {after for _, after in moved}) == (0, {0})
    behind = [one for one in _lag(call, feed) if one["topic"] == feed.topic and one["rows"]]
    assert sum(one["rows"] for one in behind) == 2
    assert all(one["seconds"] is not None for one in behind)


def _lag(call: Call, feed: Feed) -> list[dict[str, Any]]:
    code, document = call("lag", feed.name)
    assert code == 0
    return list(_one(document, feed.name)["groups"])


def test_how_far_a_connector_is_behind_its_database_is_told(call: Call, postgres_orders: Feed) -> None:
    """Once Connect has kept a position: bytes of the write-ahead log and seconds."""
    postgres_orders.apply()

    def source() -> Any:
        found = _one(call("lag")[1], postgres_orders.name)["source"]
        return found["at"] and found

    found = wait_for(source, "a position")
    assert found["behind_bytes"] >= 0
    assert found["age_s"] >= 0


def test_a_signal_is_sent_and_its_id_told(call: Call, postgres_orders: Feed) -> None:
    feed = postgres_orders
    feed.apply()
    feed.messages(2)
    code, document = call("signal", feed.name, "--kind", "execute", "--table", "public.orders")
    ((row,),) = feed.database.run("SELECT id FROM tintype_signal WHERE type = 'execute-snapshot'")
    assert (code, document["connectors"][feed.name]["id"]) == (0, row)
    assert len(feed.messages(4)) == 4


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("restart",), "no connector is named"),
        (("pause", "nobody"), "there is no such connector"),
        (("signal", "NAME", "--kind", "explode"), "'explode' is no signal"),
        (("replay", "NAME", "--group", "g"), "--from is missing"),
        (("replay", "NAME", "--from", "2020-01-01 00:00"), "--group is missing"),
    ],
)
def test_a_wrong_call_ends_with_two_and_changes_nothing(
    call: Call, postgres_orders: Feed, words: tuple[str, ...], problem: str
) -> None:
    code, document = call(*(postgres_orders.name if word == "NAME" else word for word in words))
    assert code == 2
    assert problem in document["errors"][0]["problem"]


def test_what_it_prints_without_json_names_each_connector(
    call: Call, postgres_orders: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres_orders.apply()
    postgres_orders.messages(2)
    for action, shown in (
        ("list", "the same"),
        ("show", "Initial Snapshot"),
        ("lag", "bytes"),
        ("check", "no errors"),
    ):
        wait_for(lambda a=action, s=shown: s in _printed(tmp_path, capsys, a), f"{shown} printed")  # type: ignore[misc]  # defaults bind the loop's values


def _printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str) -> str:
    main(["connectors", str(tmp_path / "shop"), action])
    return capsys.readouterr().out


def test_a_connect_that_does_not_answer_is_told_with_its_address(
    call: Call, free_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINTYPE_CONNECT", f"http://{free_address}")
    code, document = call("list")
    assert code == 2
    assert document["errors"][0]["where"] == f"http://{free_address}"
