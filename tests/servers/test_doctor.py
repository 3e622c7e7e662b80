"""Each finding of the doctor, brought about on real servers; a sound feed has none."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import main
from streams.debezium import kafka as clients
from streams.debezium.connectors import Connectors
from streams.debezium.doctor import mariadb
from streams.debezium.doctor.examine import Feeds, examine
from streams.debezium.doctor.finding import Finding
from streams.debezium.rest import ConnectRest
from tests.app.little_shop import write_shop
from tests.servers.feeds import Feed, changes
from tests.servers.waiting import wait_for

Environment = Mapping[str, str]


def feeds_of(feed: Feed, environment: Environment, **changed: str) -> Feeds:
    """Return what the doctor is to look at: the feed's own connector, with settings changed in its file."""
    file = feed.changed(**changed)
    tables = {feed.table: "orders"}
    return Feeds({file.name: file}, feed.connectors, feed.kafka, environment, tables)


def found(feeds: Feeds) -> list[Finding]:
    """Return what the doctor finds, but for the connectors of other tests, which have no file here."""
    return [one for one in examine(feeds) if one.problem != "it runs, and no file declares it"]


def only(findings: list[Finding], check: str) -> Finding:
    """Return the one finding, and fail if there are others."""
    assert [one.check for one in findings] == [check], findings
    return findings[0]


def kept(findings: list[Finding], check: str) -> Finding:
    """Return the one finding of a check, whatever else is found."""
    (one,) = [one for one in findings if one.check == check]
    return one


ACTIVE = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"


def at_work(feed: Feed) -> Feed:
    """Run the feed's connector, and return it when its snapshot is over and it reads its slot."""
    feed.apply()
    feed.messages(2)
    wait_for(lambda: feed.database.run(ACTIVE, feed.name) == [(True,)], "reading its slot")
    return feed


@pytest.fixture
def sound(postgres_orders: Feed) -> Feed:
    """A feed at work, whose slot is read."""
    return at_work(postgres_orders)


def test_a_sound_feed_has_no_finding(sound: Feed, environment: Environment) -> None:
    assert found(feeds_of(sound, environment)) == []


@pytest.mark.xdist_group("mariadb")
def test_a_sound_feed_of_mariadb_has_no_finding(mariadb_orders: Feed, environment: Environment) -> None:
    mariadb_orders.apply()
    mariadb_orders.messages(2)
    wait_for(lambda: found(feeds_of(mariadb_orders, environment)) == [], "nothing is found")


@pytest.mark.parametrize(
    ("changed", "check", "problem"),
    [
        ({"decimal.handling.mode": "precise"}, "decimals", "decimal.handling.mode is precise"),
        ({"decimal.handling.mode": "double"}, "decimals", "decimal.handling.mode is double"),
        ({"time.precision.mode": "adaptive"}, "times", "time.precision.mode is adaptive"),
        ({"tombstones.on.delete": "false"}, "tombstones", "tombstones.on.delete is off"),
        ({"heartbeat.interval.ms": "0"}, "heartbeats", "it sends no heartbeats"),
        ({"heartbeat.action.query": ""}, "heartbeats", "its heartbeats write nothing"),
    ],
)
def test_settings_that_lose_something_are_found(
    postgres_orders: Feed, environment: Environment, changed: dict[str, str], check: str, problem: str
) -> None:
    """And the line that mends each is the setting to write."""
    postgres_orders.config |= changed
    at_work(postgres_orders)
    one = kept(found(feeds_of(postgres_orders, environment)), check)
    assert one.problem == problem
    assert f'"{next(iter(changed))}"' in one.mend


def test_a_replica_identity_that_is_not_full_is_found_and_its_command_mends_it(
    sound: Feed, environment: Environment
) -> None:
    sound.database.run("ALTER TABLE orders REPLICA IDENTITY DEFAULT")
    one = only(found(feeds_of(sound, environment)), "replica-identity")
    assert one.where == "public.orders"
    sound.database.run(one.mend.removeprefix("psql: "))
    assert found(feeds_of(sound, environment)) == []


def test_a_table_without_a_key_is_found(sound: Feed, environment: Environment) -> None:
    """Unless the file names columns that are to be its key."""
    sound.database.run("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    assert only(found(feeds_of(sound, environment)), "keys").where == "public.orders"
    sound.config |= {"message.key.columns": "public.orders:order_id"}
    sound.apply()
    wait_for(lambda: not found(feeds_of(sound, environment)), "sound again")


def test_a_publication_that_lacks_a_table_is_found_and_its_command_mends_it(
    sound: Feed, environment: Environment
) -> None:
    sound.database.run(f"ALTER PUBLICATION {sound.name} DROP TABLE orders")
    one = only(found(feeds_of(sound, environment)), "publication")
    assert (one.where, one.problem) == ("public.orders", f"the publication {sound.name} lacks it")
    sound.database.run(one.mend.removeprefix("psql: "))
    assert found(feeds_of(sound, environment)) == []


def test_a_table_that_is_published_and_not_read_is_found(sound: Feed, environment: Environment) -> None:
    sound.database.run("CREATE TABLE secrets (id int PRIMARY KEY)")
    sound.database.run(f"ALTER PUBLICATION {sound.name} ADD TABLE secrets")
    one = only(found(feeds_of(sound, environment)), "publication")
    assert one.where == "public.secrets"
    assert f"{sound.name} does not read it" in one.problem


def test_a_publication_that_is_not_there_is_found(postgres_orders: Feed, environment: Environment) -> None:
    """The connector cannot start, and its task says why."""
    feed = postgres_orders
    feed.database.run(f"DROP PUBLICATION {feed.name}")
    feed.connectors.put(feed.name, feed.config)
    wait_for(feed.failures, "failed")
    findings = found(feeds_of(feed, environment))
    assert kept(findings, "publication").problem == "there is no such publication"
    assert "it has failed" in kept(findings, "failed").problem


def test_a_table_that_the_database_does_not_have_is_found(sound: Feed, environment: Environment) -> None:
    feeds = feeds_of(sound, environment, **{"table.include.list": "public.orders,public.order"})
    assert kept(found(feeds), "tables").where == "public.order"


def test_a_source_whose_table_no_connector_reads_is_found(sound: Feed, environment: Environment) -> None:
    feeds = replace(feeds_of(sound, environment), tables={"public.orders": "orders", "public.views": "views"})
    one = only(found(feeds), "sources")
    assert (one.where, one.problem) == ("views", "no connector file names its table public.views")


def test_a_slot_that_holds_back_much_is_found(sound: Feed, environment: Environment) -> None:
    """More than the limit, here none at all, of the write-ahead log."""
    sound.connectors.pause(sound.name)
    wait_for(lambda: sound.state() == "PAUSED", "paused")
    sound.database.run("INSERT INTO orders SELECT 'W' || n, n, 'paid' FROM generate_series(1, 1000) AS n")
    findings = found(replace(feeds_of(sound, environment), retained_limit=0))
    assert "of the write-ahead log" in kept(findings, "slots").problem
    assert kept(findings, "paused").mend == f"tintype connectors SHOP resume {sound.name}"


def test_a_slot_that_nobody_reads_is_found(sound: Feed, environment: Environment) -> None:
    """The connector was deleted; its slot stays."""
    sound.connectors.delete(sound.name)
    wait_for(lambda: sound.database.run(ACTIVE, sound.name) == [(False,)], "let go")
    findings = found(feeds_of(sound, environment))
    assert kept(findings, "slots").problem == "no connector reads this slot"
    assert kept(findings, "connector").problem == "it does not run"


def test_a_slot_of_no_file_is_found_and_its_command_removes_it(sound: Feed, environment: Environment) -> None:
    left = f"{sound.name}_old"
    sound.database.run("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", left)
    one = only(found(feeds_of(sound, environment)), "slots")
    assert (one.where, one.problem) == (left, "no connector file has this slot")
    sound.database.run(one.mend.removeprefix("psql: "))
    assert found(feeds_of(sound, environment)) == []


def test_a_topic_of_one_partition_is_found(postgres_orders: Feed, environment: Environment) -> None:
    postgres_orders.config |= {"topic.creation.default.partitions": "1"}
    at_work(postgres_orders)
    one = only(found(feeds_of(postgres_orders, environment)), "partitions")
    assert (one.where, one.problem) == (postgres_orders.topic, "it has one partition")


def test_a_topic_with_other_partitions_than_the_file_says_is_found(
    sound: Feed, environment: Environment
) -> None:
    """Partitions were added to it: rows of before stand elsewhere."""
    with clients.admin(sound.kafka) as admin:
        admin.create_partitions({sound.topic: 3})
    feeds = feeds_of(sound, environment)
    wait_for(lambda: [one.check for one in found(feeds)] == ["partitions"], "found")
    assert only(found(feeds), "partitions").problem == "it has 3, the file says 2"


def test_a_file_that_was_changed_and_not_applied_is_found(sound: Feed, environment: Environment) -> None:
    one = only(found(feeds_of(sound, environment, **{"max.batch.size": "100"})), "drift")
    assert one.problem == "max.batch.size: the file says 100, nothing runs"


def test_a_connector_without_a_file_is_found(sound: Feed, environment: Environment) -> None:
    feeds = replace(feeds_of(sound, environment), files={}, tables={})
    (one,) = [one for one in examine(feeds) if one.where == sound.name]
    assert one.problem == "it runs, and no file declares it"


def test_a_connector_that_has_fallen_silent_is_found(sound: Feed, environment: Environment) -> None:
    """Its file says a thousandth of a second, so that every heartbeat is too old."""
    findings = found(feeds_of(sound, environment, **{"heartbeat.interval.ms": "1"}))
    assert "its last heartbeat is" in kept(findings, "silent").problem


def test_an_initial_snapshot_that_was_taken_again_is_found(sound: Feed, environment: Environment) -> None:
    """As by a connector that dies before its first position is kept: a delete between is never told."""
    rest = sound.connectors.rest
    rest.call("PUT", "connectors", sound.name, "stop")
    wait_for(lambda: sound.state() == "STOPPED", "stopped")
    sound.database.run("DELETE FROM orders WHERE order_id = 'A2'")
    rest.call("DELETE", "connectors", sound.name, "offsets")
    sound.connectors.resume(sound.name)
    assert [op for op, _, _ in changes(sound.messages(3))] == ["r", "r", "r"]
    feeds = feeds_of(sound, environment)
    wait_for(lambda: found(feeds), "told of")
    assert "it began its first snapshot 2 times" in only(found(feeds), "snapshots").problem


def test_clocks_that_differ_are_found(sound: Feed, environment: Environment) -> None:
    """This machine's is set back a minute: the database and Connect are ahead of it."""
    feeds = replace(feeds_of(sound, environment), clock=lambda: time.time() - 60)
    ahead = {one.where: one.problem for one in found(feeds)}
    assert set(ahead) == {f"Kafka Connect at {feeds.connectors.rest.url}", f"the database of {sound.name}"}
    assert all("s ahead of this machine" in problem for problem in ahead.values())


def test_a_client_without_quick_checksums_is_found(
    sound: Feed, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "crc32c" else find(name))
    assert only(found(feeds_of(sound, environment)), "packages").where == "crc32c"


@pytest.mark.xdist_group("mariadb")
def test_a_binary_log_that_is_not_as_wanted_is_found(
    mariadb_orders: Feed, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is the whole server's, which others use meanwhile: so another one is wanted here."""
    feed = mariadb_orders
    feed.apply()
    feed.messages(2)
    monkeypatch.setitem(mariadb.WANTED, "binlog_row_image", ("MINIMAL", "rows would be too long"))
    one = only(found(feeds_of(feed, environment)), "binary-log")
    assert (one.where, one.problem) == ("binlog_row_image", "it is FULL")


@pytest.mark.xdist_group("mariadb")
def test_a_table_of_mariadb_without_a_key_and_one_that_is_not_there_are_found(
    mariadb_orders: Feed, environment: Environment
) -> None:
    feed = mariadb_orders
    feed.apply()
    feed.messages(2)
    feed.database.run(f"ALTER TABLE {feed.table} DROP PRIMARY KEY")
    absent = f"{feed.name}.order"
    findings = found(feeds_of(feed, environment, **{"table.include.list": f"{feed.table},{absent}"}))
    assert kept(findings, "keys").where == feed.table
    assert kept(findings, "tables").where == absent


def test_what_does_not_answer_is_found_and_the_rest_is_looked_at(
    sound: Feed, environment: Environment, free_address: str
) -> None:
    """Connect and the broker are gone; the database is looked at all the same."""
    sound.database.run("ALTER TABLE orders REPLICA IDENTITY DEFAULT")
    silent = Connectors(ConnectRest(f"http://{free_address}"))
    feeds = replace(feeds_of(sound, environment), connectors=silent, bootstrap=free_address)
    findings = found(feeds)
    assert {one.check for one in findings} == {"unreachable", "replica-identity"}
    assert kept(findings, "replica-identity").where == "public.orders"


def test_a_secret_that_is_not_set_here_is_found(sound: Feed) -> None:
    one = only(found(feeds_of(sound, {})), "unreachable")
    assert "TINTYPE_POSTGRES_HOST is not set here" in one.problem


def test_the_command_tells_each_finding_with_cost_and_mend_and_ends_with_one(
    sound: Feed,
    environment: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**environment, "TINTYPE_CONNECT": sound.connectors.rest.url}.items():
        monkeypatch.setenv(name, value)
    folder = write_shop(tmp_path / "shop", {})
    (folder / "connectors").mkdir()
    body = {"name": sound.name, "config": sound.config}
    (folder / "connectors" / "orders.json").write_text(json.dumps(body), encoding="utf-8")
    sound.database.run("ALTER TABLE orders REPLICA IDENTITY DEFAULT")
    assert main(["doctor", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["findings"]
    assert "replica-identity" in [one["check"] for one in told]
    assert main(["doctor", str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "mend:  psql: ALTER TABLE public.orders REPLICA IDENTITY FULL" in printed
    assert "costs: an update has no row before it" in printed
