"""`tintype bench cluster`, as small as it can be: each part from end to end on real servers."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from kafka import KafkaAdminClient

from bench.cluster.faust_peer import apply
from bench.cluster.measure import measured
from bench.cluster.process import held_partitions, session_cpu
from bench.cluster.rows import Rows
from bench.cluster.sizes import Sizes
from bench.outcome import COLUMNS
from deploy.servers.places import Place
from tests.servers.started import server
from tests.servers.waiting import wait_for

pytestmark = pytest.mark.xdist_group("bench cluster")  # each looks at the end whether anything is left

NOTHING = Sizes(
    rows=400, partitions=(), customers=(200,), peer_rows=200, peer_partitions=2, take_over=False,
    shared_customers=200, shared_partitions=2, rates=(), seconds=0.5,
)  # fmt: skip


@pytest.fixture
def places() -> Iterator[tuple[Place, Place]]:
    """Kafka and Redis; whatever is measured leaves nothing of its own behind there."""
    kafka, store = server("kafka"), server("redis")
    yield kafka, store
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    wait_for(lambda: not [one for one in admin.list_topics() if "bench" in one], "topics deleted")
    admin.close()
    with redis.Redis(port=store.port, password=store.password) as client:
        assert list(client.scan_iter("*bench*", count=1000)) == []


def found(places: tuple[Place, Place], **sizes: Any) -> dict[str, dict[str, Any]]:
    """Measure; return the rows by what they say."""
    outcome = measured(*places, replace(NOTHING, **sizes))
    assert all(tuple(row) == COLUMNS and math.isfinite(row["value"]) for row in outcome.rows)
    return {row["what"]: row for row in outcome.rows}


@pytest.mark.slow
def test_a_worker_s_rows_are_measured_against_those_of_faust(places: tuple[Place, Place]) -> None:
    """CPU and the clock; the ratio is the peer's figure by ours, and theirs are from the same run."""
    cpu, rate = found(places, partitions=(2,)).values()
    peer = float(cpu["against"].rpartition(": ")[2].removesuffix(" us"))
    assert 0 < cpu["value"] < 1e6 * 60 / NOTHING.rows
    assert cpu["ratio"] == pytest.approx(peer / cpu["value"], rel=0.05)
    assert rate["value"] > 1 / 60 * NOTHING.rows


@pytest.mark.slow
def test_a_killed_worker_s_partitions_are_committed_by_the_other(places: tuple[Place, Place]) -> None:
    """It is seen first that they are assigned; the two parts make the whole."""
    rows = found(places, take_over=True)
    assert all("owns 1 of 2 partitions" in what for what in rows)
    assigned, recovered, both = (row["value"] for row in rows.values())
    assert 0 < assigned < both < 60
    assert both == pytest.approx(assigned + recovered)


@pytest.mark.slow
def test_rows_offered_at_a_rate_become_readable(places: tuple[Place, Place]) -> None:
    """At two rates, each with its own customers."""
    rows = found(places, rates=(100, 400))
    values = [row["value"] for row in rows.values()]
    assert len(values) == 4
    assert 0 < values[0] <= values[1]
    assert 0 < values[2] <= values[3]


def test_cpu_of_a_session_has_that_of_children_that_have_ended() -> None:
    """And of those that run."""
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    code = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n"
        f"one = subprocess.Popen([sys.executable, '-c', {burn + 'input()'!r}], stdin=subprocess.PIPE)\n"
        "print('ready', flush=True)\nsys.stdin.readline()\none.communicate(b'end')\n"
    )
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert session_cpu(process.pid) >= 0.3
        while session_cpu(process.pid) < 0.58:  # ends, or pytest's patience does
            assert process.poll() is None
        process.communicate(b"end\n")


def test_partitions_that_are_held_are_those_whose_copies_are_open(tmp_path: Path) -> None:
    """Files that only lie there are of an earlier owner."""
    for number in (3, 12):
        (tmp_path / f"{number:03d}").mkdir()
        (tmp_path / f"{number:03d}" / "log.sqlite").touch()
    with (tmp_path / "012" / "log.sqlite").open():
        assert held_partitions(os.getpid(), tmp_path) == {12}
    assert held_partitions(os.getpid(), tmp_path) == set()


def test_the_peer_takes_an_old_row_back() -> None:
    """Inserted, changed and deleted: nothing is left but the last moment."""
    first, second = ({"amount": f"{amount}.50", "at": at} for amount, at in ((1, "a"), (2, "b")))
    profile: dict[str, Any] = {}
    kept = []
    for before, after in ((None, first), (first, second), (second, None)):
        apply(profile, {"source": {"table": "orders"}, "before": before, "after": after})
        kept.append(tuple(profile["orders"].values()))
    assert kept == [(1, 150, "a"), (1, 250, "b"), (0, 0, "b")]


def test_rows_have_every_customer_first_and_then_as_many_changes_as_were_asked_for() -> None:
    """Updates and deletes among them reach rows that were there before."""
    rows = Rows(50)
    past = list(rows.past(400))
    assert [one.customer for one in past[:50]] == list(range(50))
    assert len(past) == 450
    changes = list(rows.changes(800))
    assert len(changes) == 800
    there = {(one.source, one.key) for one in past}
    for one in changes:
        place = (one.source, one.key)
        if b'"op":"c"' in one.value:
            there.add(place)
        else:
            assert place in there
