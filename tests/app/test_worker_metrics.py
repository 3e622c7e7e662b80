"""`tintype worker --metrics`: what it counts is so, and has the names that the API of one process uses."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from app.replay import settings_body
from app.restore import FOLDER
from app.worker.metrics import registry_of, serve
from app.worker.owning import _follow
from app.worker.partition import Ending, NotOwner, OwnedPartition
from app.worker.worker import Worker
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store
from streams.changes.controls import control_message
from streams.changes.wire import Incoming, incoming
from streams.control import SETTINGS, TICK, Control
from streams.errors import InputError
from streams.worker.keeper import name_of
from tests.shared.idle_worker import LANE, idle_worker, samples
from tests.shared.small_shop import small_shop

MINUTE = 29_800_000
SHOP = small_shop("idle", partitions=4)


def tick(offset: int, partition: int = 3) -> Incoming:
    """Return the message of a tick, appended so many minutes after MINUTE; the first brings the settings."""
    said = Control(TICK, None, "{}") if offset else Control(SETTINGS, None, settings_body(SHOP))
    sent = control_message([said], partition)
    return incoming("t", partition, offset, (MINUTE + offset) * 60_000, sent.value, sent.headers)


@pytest.fixture
def worker(tmp_path: Path, server: EmbeddedServer) -> Iterator[Worker]:
    server.client.flushall()
    with idle_worker(tmp_path, client=server.client) as made:
        yield made


@pytest.fixture
def owned(worker: Worker) -> OwnedPartition:
    return worker.owning.partitions[3]


def test_a_partitions_figures_are_those_of_its_store(worker: Worker, owned: OwnedPartition) -> None:
    owned.take([tick(0), tick(1)], at_end=True)
    owned.take([tick(2)], at_end=True)
    head = Store(owned.store.client, "idle", first=3).head(0)
    found = samples(registry_of(worker))
    assert found["tintype_records_total{partition=3}"] == head.step == 3
    assert found["tintype_effects_total{partition=3}"] == head.effects
    assert found["tintype_clock_timestamp_seconds{partition=3}"] == head.clock * 60 == (MINUTE + 2) * 60
    assert found["tintype_commits_total{partition=3}"] == 2
    assert found["tintype_commit_seconds_count{partition=3}"] == 2
    assert found["tintype_commit_seconds_sum{partition=3}"] > 0
    assert (found["tintype_ready{partition=3}"], found["tintype_partitions_owned"]) == (1, 1)
    assert found["process_resident_memory_bytes"] > 1_000_000


def test_lag_is_the_age_of_the_oldest_message_not_committed(worker: Worker, owned: OwnedPartition) -> None:
    """While the copy is read it is not ready; at the log's end nothing is behind."""
    owned.figures.behind_since = 1000.0
    owned.take([tick(0)], at_end=False)
    found = samples(registry_of(worker, lambda: 1030.0))
    assert (found["tintype_lag_seconds{partition=3}"], found["tintype_ready{partition=3}"]) == (30, 0)
    assert "tintype_clock_timestamp_seconds{partition=3}" not in found
    owned.take([], at_end=True)
    assert samples(registry_of(worker))["tintype_lag_seconds{partition=3}"] == 0


def test_a_store_that_does_not_answer_is_told_with_how_long_it_has_been_so(tmp_path: Path) -> None:
    with idle_worker(tmp_path) as worker:
        owned = worker.owning.partitions[3]
        with pytest.raises(Ending):
            owned.take([tick(0)], at_end=True)
        since = owned.figures.store_away
        found = samples(registry_of(worker, lambda: since + 7))
        assert found["tintype_store_away_seconds{partition=3}"] == pytest.approx(7)
        assert found["tintype_commits_total{partition=3}"] == 0


def test_a_store_that_was_set_back_is_counted(worker: Worker, owned: OwnedPartition) -> None:
    owned.take([tick(0)], at_end=True)
    owned.store.client.flushall()
    owned.take([tick(1)], at_end=True)
    assert samples(registry_of(worker))["tintype_store_set_back_total{partition=3}"] == 1


class AtItsEnd:
    """A consumer that has one partition and has read so much of it."""

    def __init__(self, position: int, stable: int) -> None:
        self._position, self._stable = position, stable

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("tintype.idle.changes", 3)}

    def last_stable_offset(self, _: TopicPartition) -> int:
        return self._stable

    async def position(self, _: TopicPartition) -> int:
        return self._position


def test_a_partition_lost_to_another_worker_is_counted_and_told_of_no_more(
    worker: Worker, owned: OwnedPartition
) -> None:
    owned.take([tick(0)], at_end=True)
    owning: Any = worker.owning
    owning._consumer = AtItsEnd(position=2, stable=7)
    Store(owned.store.client, "idle", first=3).claim(0)
    with pytest.raises(NotOwner):
        owned.take([tick(1)], at_end=True)
    one = tick(2)
    record = SimpleNamespace(
        offset=one.offset, timestamp=0, value=one.value, headers=list(one.headers.items())
    )
    assert not asyncio.run(owning._is_at_end(3))
    asyncio.run(owning._let_go(_follow("tintype.idle.changes", [(owned, [record], True)])))
    found = samples(registry_of(worker))
    assert (found["tintype_fenced_commits_total"], found["tintype_partitions_owned"]) == (1, 0)
    assert [name for name in found if "partition=3" in name] == []
    assert owned.figures.blocks_behind == 5


def test_a_lanes_figures_carry_its_name(worker: Worker) -> None:
    figures, of_all = worker.keeper.of_lane[name_of(LANE)], worker.keeper.figures
    figures.messages, figures.rejected, of_all.busy_waits, of_all.lost = 5, 1, 2, 3
    found = samples(registry_of(worker))
    assert found["tintype_messages_total{lane=db.orders/0}"] == 5
    assert found["tintype_messages_rejected_total{lane=db.orders/0}"] == 1
    assert found["tintype_busy_waits_total"] == 2
    assert found["tintype_claims_lost_total"] == 3
    assert found["tintype_lanes_owned"] == 0


def test_the_newest_snapshot_is_told_with_its_records(worker: Worker, owned: OwnedPartition) -> None:
    """A draft, which its child has not finished, is none."""
    assert "tintype_snapshot_records{partition=3}" not in samples(registry_of(worker))
    for name in ("00000000000000000070", "00000000000000000200", ".00000000000000000900.1"):
        (owned.folder / FOLDER / name).mkdir(parents=True)
        (owned.folder / FOLDER / name / "snapshot.json").touch()
    found = samples(registry_of(worker))
    written = (owned.folder / FOLDER / "00000000000000000200" / "snapshot.json").stat().st_mtime
    assert found["tintype_snapshot_records{partition=3}"] == 200
    assert found["tintype_snapshot_timestamp_seconds{partition=3}"] == written


def test_the_text_is_served_until_the_worker_ends_and_a_port_in_use_is_refused(worker: Worker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    close = serve(worker, "127.0.0.1", port)
    with pytest.raises(InputError, match="metrics cannot be served here: Address already in use"):
        serve(worker, "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert b"tintype_partitions_owned 1.0" in answer.read()
    close()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)
