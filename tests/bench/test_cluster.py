"""`tintype bench cluster`, as small as it can be: each part from end to end on real servers."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cluster.burst import Burst
from bench.cluster.measure import Servers, measured
from bench.cluster.process import held_partitions, session_cpu
from bench.cluster.rows import Rows
from bench.cluster.sizes import Sizes
from bench.cluster.waits import Load
from bench.footprint import measured as footprint
from bench.outcome import COLUMNS
from deploy.servers.places import Place
from streams.debezium.connectors import Connectors
from streams.debezium.rest import ConnectRest
from tests.laws.effort import LONG
from tests.servers.databases import PostgresDatabase
from tests.servers.started import server

pytestmark = pytest.mark.xdist_group("bench cluster")  # each looks at the end whether anything is left

LENGTHY = pytest.mark.skipif(not LONG, reason="half a minute of waiting: make test-faults")

NOTHING = Sizes(
    rows=400, partitions=(), customers=(200,), peers=(), peer_rows=400, peer_partitions=2, take_over=0,
    shared_customers=200, shared_partitions=2, loads=(), stored=(), seconds=0.5, closing=0,
)  # fmt: skip


def found(places: tuple[Place, Place], **sizes: Any) -> dict[str, dict[str, Any]]:
    """Measure; return the rows by what they say."""
    outcome = measured(Servers(*places), replace(NOTHING, **sizes))
    assert all(tuple(row) == COLUMNS and math.isfinite(row["value"]) for row in outcome.rows)
    return {row["what"]: row for row in outcome.rows}


@pytest.mark.slow
def test_what_customers_and_rows_take_is_found(places: tuple[Place, Place], tmp_path: Path) -> None:
    """A document for each customer, a row of the index for each row, and all records of the topic."""
    kafka, store = places
    one = footprint(kafka, store, tmp_path / "shop", 200, 300)
    assert one.keys["profile"] == 200
    assert one.keys["row"] >= 500
    assert one.records >= 500
    assert min(one.store["profile"], one.store["row"], one.logged, one.copied) > 0


@pytest.mark.slow
def test_a_worker_s_rows_are_measured_against_those_of_faust(places: tuple[Place, Place]) -> None:
    """CPU and the clock; the ratio is the peer's figure by ours, and theirs are from the same run."""
    outcome = measured(Servers(*places), replace(NOTHING, partitions=(2,), peers=("faust",)))
    alone, rate, cpu, _, same = outcome.rows
    peer = float(cpu["against"].rpartition(": ")[2].removesuffix(" us"))
    assert 0 < cpu["value"] < 1e6 * 60 / NOTHING.rows
    assert cpu["ratio"] == pytest.approx(peer / cpu["value"], rel=0.05)
    assert alone["value"] == cpu["value"]
    assert rate["value"] > 1 / 60 * NOTHING.rows
    assert same["value"] == 0


@LENGTHY
@pytest.mark.slow
def test_a_killed_worker_s_partitions_are_committed_by_the_other(places: tuple[Place, Place]) -> None:
    """It is seen first that they are assigned; the two parts make the whole."""
    rows = found(places, take_over=200)
    assert all("owns 1 of 2 partitions" in what for what in rows)
    assigned, recovered, both = (row["value"] for row in rows.values())
    assert 0 < assigned < both < 60
    assert both == pytest.approx(assigned + recovered)


@LENGTHY
@pytest.mark.slow
def test_a_burst_is_watched_until_nothing_waits(places: tuple[Place, Place]) -> None:
    """Its rows are all taken in; the curve goes on until those of the burst are."""
    burst = Burst(usual=100, before=3.0, times=10, seconds=3.0)
    outcome = measured(Servers(*places), replace(NOTHING, burst=burst))
    waiting, behind, memory = (row["value"] for row in outcome.rows)
    assert 0 < waiting < 4_000
    assert 0 <= behind < 60
    assert 0.5 < memory < 3
    assert "rows that wait" in outcome.drawings["burst.svg"]


@pytest.mark.slow
def test_rows_of_a_database_are_followed_to_their_profiles(places: tuple[Place, Place]) -> None:
    """Through PostgreSQL and Debezium: its past as a snapshot, then changes of all kinds; nothing is left."""
    postgres, connect = server("postgres"), server("connect")
    servers = Servers(*places, postgres, connect)
    outcome = measured(servers, replace(NOTHING, stored=(Load(100), Load(300)), seconds=1.0))
    assert len(outcome.rows) == 8
    assert all("due in PostgreSQL" in row["what"] and 0 < row["value"] < 30_000 for row in outcome.rows)
    assert outcome.drawings["cluster.svg"].count("<path") >= 4
    left = PostgresDatabase(postgres, "postgres").run("SELECT datname FROM pg_database")
    assert not [one for (one,) in left if one.startswith("bench")]
    assert not [one for one in Connectors(ConnectRest(f"http://{connect.address}")).names() if "bench" in one]


@pytest.mark.slow
def test_rows_offered_at_a_rate_become_readable(places: tuple[Place, Place]) -> None:
    """Under three loads, each with its own customers: read from the store, and heard in the topic."""
    rows = found(places, loads=(Load(100), Load(400), Load(400, hot=0.3)))
    hot, *waited = [row["value"] for row in rows.values()]
    assert len(waited) == 12
    assert all(0 < p50 <= p99 for p50, p99 in zip(waited[::2], waited[1::2], strict=True))
    assert hot == waited[9]


@pytest.mark.slow
def test_a_minute_of_customers_who_are_not_there_is_closed_in_every_partition(
    places: tuple[Place, Place],
) -> None:
    """Their reports are written, a worker merges them; the bytes are those of the reports."""
    [row] = found(places, closing=5_000, closing_partitions=3).values()
    assert "5,000 customers in 3 partitions (0.0 MB)" in row["what"]
    assert 0 < row["value"] < 60
    assert row["ratio"] == pytest.approx(row["value"] / 2)


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


def test_the_old_row_in_a_message_is_the_one_that_was_written_before() -> None:
    """Peers take it back; ours goes by what it holds."""
    drawn = Rows(50)
    written: dict[tuple[str, int], Any] = {}
    updates = 0
    for row in (*drawn.past(600), *drawn.changes(600)):
        change = json.loads(row.value)
        place = row.source, (change["before"] or change["after"])["id"]
        assert change["before"] == written.pop(place, None)
        updates += change["op"] == "u" and change["before"] != change["after"]
        if change["after"] is not None:
            written[place] = change["after"]
    assert updates > 60
