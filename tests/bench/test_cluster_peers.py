"""The peers of `tintype bench cluster`: their job, what they must say of rows, and how they are reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from bench.cluster import measure
from bench.cluster.costs import report
from bench.cluster.expected import Documents, Expected, different
from bench.cluster.peer import PeerTaken, peer_taken, write_customer
from bench.cluster.peer_job import Job
from bench.cluster.peers import PEERS
from bench.cluster.rows import Rows
from bench.cluster.sizes import Sizes
from bench.cluster.taking import Taken
from bench.outcome import Outcome
from deploy.servers.places import Place

CUSTOMERS, COUNT = 40, 600
SPAN = 45 * 1440  # minutes: rows pass most edges of their windows, and are changed and deleted behind them
PEER, MINE = PEERS["quix"], Taken(10.0, 5_000.0)
AT = (10_000, 1)


@pytest.mark.slow
@pytest.mark.xdist_group("bench cluster")  # each looks at the end whether anything is left
@pytest.mark.parametrize("name", [name for name in PEERS if name != "faust"])
def test_a_peer_s_documents_are_what_the_rows_say(
    name: str, places: tuple[Place, Place], tmp_path: Path
) -> None:
    """Every customer's, after a past, changes and deletes. (Faust's are in test_cluster.py.)"""
    if why := PEERS[name].lacks():
        pytest.skip(why)
    found = peer_taken(PEERS[name], *places, tmp_path / name, 400, 200, 2)
    assert (found.customers, found.different) == (200, 0)
    assert 0 < found.microseconds < 1e6
    assert found.rate > 1


class Pieces(dict[str, str]):
    """A store of one customer's pieces that gives back what JSON says of them, as the peers' do."""

    def get(self, name: str, default: Any = None) -> Any:
        return json.loads(self[name]) if name in self else default

    def set(self, name: str, value: Any) -> None:
        self[name] = json.dumps(value)

    def delete(self, name: str) -> None:
        self.pop(name, None)


def test_the_job_in_python_says_of_each_customer_what_our_engine_says(tmp_path: Path) -> None:
    """At the minute of its last row, from the same bytes, over days in which rows leave windows: metrics,
    scores and tags, each customer kept in pieces only."""
    write_customer(tmp_path)
    job = Job(str(tmp_path))
    states: dict[str, Pieces] = {}
    expected, found, first = filled()
    for at, row in enumerate(expected.rows):
        change = json.loads(row.value)
        member = (change["after"] or change["before"])["member_id"]
        pieces = states.setdefault(member, Pieces())
        found[member] = job.take(change, pieces, first + at * SPAN // len(expected.rows)).document()
    assert len({document["minute"] for document in found.values()}) > 5
    assert any(document["metrics"]["worst_90d"] for document in found.values())
    assert different(expected, found) == set()


def filled() -> tuple[Expected, Documents, int]:
    """Return a past and changes, an empty place for documents, and the minute before which no row is."""
    drawn, expected = Rows(CUSTOMERS), Expected(CUSTOMERS)
    for row in (*drawn.past(COUNT), *drawn.changes(COUNT)):
        expected.take(row)
    return expected, {}, json.loads(expected.rows[0].value)["source"]["ts_ms"] // 60_000


def documents(expected: Expected, minute: int) -> Documents:
    """Return what is right at a minute, as peers write it."""
    [(_, found)] = expected.at([minute])
    return {member: {"minute": minute, **document} for member, document in found.items()}


def test_customers_whose_documents_differ_are_found_missing_and_surplus_ones_too() -> None:
    """A wrong metric, score or tag; but not membership in tags that rest on memory."""
    expected, _, minute = filled()
    found = documents(expected, minute)
    assert different(expected, found) == set()
    one, two, three, four, five = sorted(found)[:5]
    found[one]["metrics"] = {**found[one]["metrics"], "views_90d": -1}
    found[two]["rfm"] = [*found[two]["rfm"][:2], 9]
    found[three]["tags"] = [*found[three]["tags"], "a00"]
    found[four]["tags"] = sorted({*found[four]["tags"]} ^ {"a10", "a19"})
    del found[five]
    found["M999999"] = documents(expected, minute)[one]
    assert different(expected, found) == {one, two, three, five, "M999999"}
    assert different(expected, {}) == expected.customers


def test_a_document_must_be_right_still_when_time_alone_has_changed_it() -> None:
    """Of a peer with timers: what left a window by a minute is out of documents written before it."""
    expected, _, minute = filled()
    found = documents(expected, minute)
    assert any(document["metrics"]["views_10m"] for document in found.values())
    assert different(expected, found) == set()
    later = documents(expected, minute + 15)
    wrong = {one for one in found if found[one]["metrics"] != later[one]["metrics"]}
    assert 0 < len(wrong) < CUSTOMERS
    assert wrong <= different(expected, found, until=minute + 15)
    assert different(expected, {**found, **{one: later[one] for one in wrong}}, until=minute + 15) == set()


def test_the_ratio_is_the_peers_cpu_by_ours_and_is_to_be_at_least_the_goal() -> None:
    """Reached or missed, as of the same place."""
    for microseconds, reached in ((50.0, True), (49.0, False)):
        rows, tables = reported(PeerTaken(7_000, microseconds, 2_500.0, 300, 0))
        cpu = rows[2]
        assert (cpu["value"], cpu["ratio"], cpu["goal"]) == (10.0, microseconds / 10.0, 5.0)
        assert cpu["reached"] is reached
        assert rows[3]["ratio"] == 2.0
        line = f"| {PEER.title} | 10,000 | 1 | 7,000 | {microseconds:.3g} | 2,500 | {microseconds / 10:.3g} |"
        assert line in tables[0]


def test_a_peer_whose_documents_are_wrong_has_no_figure() -> None:
    """It is said how many are."""
    rows, tables = reported(PeerTaken(7_000, 50.0, 2_500.0, 300, 2))
    assert [row["ratio"] for row in rows[2:]] == [None, 2.0]
    assert rows[3]["reached"] is False
    assert f"| {PEER.title} | 2 of 300 documents are wrong |" in tables[0]
    assert "50" not in tables[0]


def test_a_peer_that_is_not_here_is_said_not_to_have_run() -> None:
    """And why."""
    rows, tables = report(100, {AT: MINE}, AT, {}, {PEER: "no such thing here: get it"})
    assert rows[2]["against"] == f"{PEER.title}: no figure (no such thing here: get it)"
    assert (rows[2]["ratio"], rows[2]["reached"]) == (None, None)
    assert f"| {PEER.title} | not run: no such thing here: get it |" in tables[0]
    assert len({line.count("|") for line in tables[0].splitlines()}) == 1


def reported(its: PeerTaken) -> tuple[list[dict[str, Any]], list[str]]:
    rows, tables = report(100, {AT: MINE}, AT, {PEER: its}, {})
    return rows, tables


def test_what_is_lacking_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Java, the compiled job, the environment; a fresh checkout has none of them."""
    monkeypatch.setattr("bench.cluster.peers.JVM", tmp_path)
    monkeypatch.setattr("bench.cluster.peers.QUIX", tmp_path / "python")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert PEERS["flink-heap"].lacks().startswith("no Java here: apt-get install openjdk-17-jdk-headless")
    (tmp_path / "java").touch(mode=0o755)
    said = {name: peer.lacks() for name, peer in PEERS.items()}
    assert said == {
        "faust": "",
        "quix": "no Quix Streams here: run bench/peers/install.sh",
        "flink-rocksdb": "not compiled here: run bench/peers/install.sh",
        "flink-heap": "not compiled here: run bench/peers/install.sh",
    }


def test_peers_can_be_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By name; --costs measures nothing else than them and ours beside; a name that is none is refused."""
    seen: list[Sizes] = []

    def measured(sizes: Sizes) -> Outcome:
        seen.append(sizes)
        return Outcome([])

    monkeypatch.setattr(measure, "measure", measured)
    assert main(["bench", "cluster", "--peers", "flink-heap,quix", "--rows", "500"]) == 0
    assert main(["bench", "cluster", "--peers", "none", "--costs"]) == 0
    whole = replace(Sizes(), rows=500, peers=("flink-heap", "quix"))
    costs = replace(Sizes(), peers=(), customers=(10_000,), partitions=(1,))
    assert seen == [whole, replace(costs, take_over=0, loads=(), stored=(), closing=0)]
    assert main(["bench", "cluster", "--peers", "flink"]) != 0
    assert "--peers: no peer 'flink': there are faust, quix, flink-rocksdb" in capsys.readouterr().err
