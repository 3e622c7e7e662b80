"""The consumer of a topic in docs/events.md never misses nor repeats, whenever it or a writer ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import TopicPartition

from deploy.servers.kafka import Kafka
from deploy.servers.places import Place
from streams.debezium import kafka as kafka_tools
from tests.console.at_work import wait_for
from tests.console.test_event_consumer import called, shown
from tests.servers.own import own_server
from tests.servers.test_topics import killed as writer_killed
from tests.servers.topic_shop import PARTITIONS, Shop, new_shop

ROOT = Path(__file__).resolve().parents[2]
RUNNER = "tests.servers.killed_kafka_consumer"
TOGETHER = """\
        with db:
            act(record.key.decode(), json.loads(record.value))
            place = (topic, record.partition, record.offset + 1)
            db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", place)
"""
WITH, ACT, *PLACE_LINES = TOGETHER.splitlines(keepends=True)
PLACE = "".join(PLACE_LINES)


@pytest.fixture
def shop(kafka: Place, name: str) -> Shop:
    return new_shop(kafka, name)


def fill(shop: Shop, count: int) -> None:
    """Let each partition have so many effects more, of which every fifth is a decision, and write them."""
    for number in range(PARTITIONS):
        shop.outbox.add(number, count)
        asyncio.run(shop.relayed(number))


def wanted(shop: Shop) -> list[list[str]]:
    """Return what is to be on the list, of all decisions."""
    held = [one for effects in shop.outbox.effects for one in effects if "trigger" in one]
    return sorted([one["customer"], one["trigger"]] for one in held)


def ended_at_each_line(shop: Shop, folder: Path, code: str) -> list[list[list[str]]]:
    """Return what the consumer had done at last, for each of its lines before which it was ended."""
    file = folder / "consumer.py"
    file.write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", RUNNER, str(file), shop.bootstrap, shop.topics.decisions]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found: list[list[list[str]]] = json.loads(done.stdout)
    return found


@contextlib.contextmanager
def following(shop: Shop, folder: Path, code: str) -> Iterator[subprocess.Popen[str]]:
    """Run a consumer in a process that is killed in the end."""
    (folder / "consumer.py").write_text(f"{code}\nimport sys\nfollow(*sys.argv[1:])\n", encoding="utf-8")
    command = [sys.executable, "consumer.py", shop.bootstrap, shop.topics.decisions]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_has_twenty_lines() -> None:
    assert len([line for line in shown("kafka").splitlines() if line.strip()]) <= 20


def test_ended_before_any_of_its_lines_it_does_everything_once(shop: Shop, tmp_path: Path) -> None:
    """Beside what a killed writer has left, which never counted."""
    assert TOGETHER in shown("kafka")
    shop.outbox.add(1, 5)
    assert writer_killed(shop, 5, "sent", 1)
    fill(shop, 5)
    found = ended_at_each_line(shop, tmp_path, shown("kafka"))
    assert len(found) > 30
    assert all(sorted(each) == wanted(shop) for each in found)


def test_a_place_stored_before_misses_and_one_stored_after_repeats(shop: Shop, tmp_path: Path) -> None:
    """What the test above would find."""
    shop.outbox.add(1, 1)
    asyncio.run(shop.relayed(1))
    for apart, lengths in ((WITH + PLACE + WITH + ACT, {0, 1}), (WITH + ACT + WITH + PLACE, {1, 2})):
        found = ended_at_each_line(shop, tmp_path, shown("kafka").replace(TOGETHER, apart))
        assert {len(each) for each in found} == lengths


def test_without_committed_only_it_does_what_never_counted(shop: Shop, tmp_path: Path) -> None:
    shop.outbox.add(1, 5)
    assert writer_killed(shop, 5, "sent", 1)
    asyncio.run(shop.relayed(1))
    level = 'isolation_level="read_committed"'
    code = shown("kafka").replace(level, 'isolation_level="read_uncommitted"')
    assert code != shown("kafka")
    with following(shop, tmp_path, code):
        wait_for(lambda: len(called(tmp_path)) > len(wanted(shop)), 60)


def test_killed_again_and_again_beside_a_writer_it_does_everything_once(shop: Shop, tmp_path: Path) -> None:
    for turn in range(4):
        with following(shop, tmp_path, shown("kafka")):
            fill(shop, 40)
            least = turn * 24  # so it is in the middle
            wait_for(lambda least=least: len(called(tmp_path)) > least, 60)  # type: ignore[misc]
    with following(shop, tmp_path, shown("kafka")):
        fill(shop, 5)  # of each partition these come behind whatever would be repeated
        wait_for(lambda: sorted(called(tmp_path)) == wanted(shop), 60)


def test_what_is_not_kept_any_more_ends_it(shop: Shop, tmp_path: Path) -> None:
    fill(shop, 5)
    with following(shop, tmp_path, shown("kafka")):
        wait_for(lambda: sorted(called(tmp_path)) == wanted(shop), 60)
    fill(shop, 10)
    with kafka_tools.admin(shop.bootstrap) as admin, kafka_tools.consumer(shop.bootstrap) as consumer:
        parts = [TopicPartition(shop.topics.decisions, part) for part in range(PARTITIONS)]
        admin.delete_records(consumer.end_offsets(parts))
    with following(shop, tmp_path, shown("kafka")) as process:
        assert "OffsetOutOfRangeError" in process.communicate(timeout=60)[1]


def test_while_the_broker_is_away_it_waits(name: str, tmp_path: Path) -> None:
    with own_server(Kafka(), tmp_path / "own") as broker:
        shop = new_shop(broker.place, name)
        fill(shop, 5)
        with following(shop, tmp_path, shown("kafka")) as process:
            wait_for(lambda: sorted(called(tmp_path)) == wanted(shop), 60)
            broker.kill()
            broker.start()
            fill(shop, 5)
            wait_for(lambda: sorted(called(tmp_path)) == wanted(shop), 60)
            assert process.poll() is None
