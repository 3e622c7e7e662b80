"""History's server killed, away, refusing and slow while a relay is at work: nothing lost, nothing twice."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sinks.history.errors import SetBack
from sinks.history.relay import HistoryRelay
from sinks.history.server import ServerHistory
from sinks.history.spool import Spool, SpoolFull
from sinks.history.spooled import SpooledHistory
from streams.log.log import Log
from tests.servers.own_clickhouse import OwnClickHouse, own_clickhouse
from tests.servers.waiting import wait_for
from tests.sinks.history_shop import START, Outbox, differences, fill, go_live
from tests.streams.small_shop import new_log

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 3
ANSWER_SECONDS = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnClickHouse]:
    with own_clickhouse(tmp_path_factory.mktemp("clickhouse") / "own") as found:
        yield found


@dataclass
class Work:
    """A shop at work, and a relay that copies it."""

    log: Log
    outbox: Outbox
    server: OwnClickHouse
    folder: Path
    minute: int = START

    def go_on(self) -> None:
        """Let two minutes pass, and some effects come out."""
        self.minute += 10
        go_live(self.log, self.minute, 2)
        for partition in range(PARTITIONS):
            self.outbox.add(partition, 10)

    def open(self, limit: int = 1 << 24) -> tuple[SpooledHistory, HistoryRelay]:
        """Open history with its spool, and a relay of small batches."""
        server = ServerHistory(self.server.address(ANSWER_SECONDS), "Asia/Shanghai")
        history = SpooledHistory(server, Spool(self.folder / "spool", limit))
        return history, HistoryRelay(history, self.log, self.outbox, rows=40, seconds=0.0)

    def finish(self, history: SpooledHistory, relay: HistoryRelay) -> None:
        """Wait until everything has gone to the server, and compare it with what it is a copy of."""

        def gone() -> bool:
            with contextlib.suppress(SpoolFull):
                history.drain()
                relay.catch_up()
            return history.figures().files == 0 and relay.lag().rows == 0

        wait_for(gone, "on the server")
        assert differences(history, self.log) == {}
        held = history.query("SELECT partition, seq FROM effects ORDER BY partition, seq").to_pylist()
        assert [(row["partition"], row["seq"]) for row in held] == [
            (partition, effect["seq"])
            for partition in range(PARTITIONS)
            for effect in self.outbox.effects[partition]
        ]


@pytest.fixture
def work(server: OwnClickHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    monkeypatch.setattr("streams.log.write.BLOCK_RECORDS", 20)  # so that there are many inserts
    with new_log(tmp_path / "log", PARTITIONS) as log:
        fill(log, tmp_path)
        made = Work(log, Outbox(PARTITIONS), server, tmp_path)
        made.go_on()
        yield made
    history = ServerHistory(server.address())
    history._begun()
    history._writer.do("DROP DATABASE history")
    history.close()


def test_a_server_killed_and_away_in_the_middle_gets_everything_once(work: Work) -> None:
    history, relay = work.open()
    relay.step()
    work.server.kill()
    try:
        for _ in range(5):
            work.go_on()
            relay.catch_up()
        assert history.figures().files > 20
        assert relay.drained[0] == work.log.next_steps()  # the outbox does not wait for the server
    finally:
        work.server.start()
    work.finish(history, relay)
    history.close()


def test_a_server_that_is_killed_again_and_again_gets_everything_once(work: Work) -> None:
    history, relay = work.open()
    for _ in range(4):
        for _ in range(2):
            work.go_on()
            relay.step()
            history.drain()
        work.server.kill()
        work.go_on()
        relay.step()
        work.server.start()
    work.finish(history, relay)
    history.close()


def test_a_server_that_lost_everything_is_filled_again(work: Work) -> None:
    history, relay = work.open()
    relay.catch_up()
    admin = ServerHistory(work.server.address())
    admin.drained("effects")
    admin._writer.do("DROP DATABASE history")
    admin.close()
    work.go_on()
    with pytest.raises(SetBack):
        relay.catch_up()
    work.finish(history, relay)
    history.close()


def test_a_server_that_refuses_gets_it_later(work: Work) -> None:
    history, relay = work.open()
    relay.catch_up()
    with work.server.busy():
        work.go_on()
        relay.catch_up()
        assert history.figures().files > 0
    work.finish(history, relay)
    history.close()


def test_an_insert_that_a_slow_server_ends_after_its_time_counts_once(work: Work) -> None:
    """It is put aside, and is then on its way twice."""
    history, relay = work.open()
    relay.catch_up()
    work.go_on()
    work.server.freeze()
    try:
        relay.catch_up()
        assert history.figures().files > 0
    finally:
        work.server.thaw()
    work.finish(history, relay)
    history.close()


def test_a_spool_that_is_full_holds_the_relay_up_and_keeps_its_bounds(work: Work) -> None:
    history, relay = work.open(limit=60_000)
    relay.step()
    work.server.kill()
    try:
        with pytest.raises(SpoolFull):
            relay.catch_up()
        work.go_on()
        with pytest.raises(SpoolFull):
            relay.catch_up()
        assert relay.lag().rows > 0
        size = sum(one.stat().st_size for one in (work.folder / "spool").glob("*.arrow"))
        assert 0 < size <= 60_000
    finally:
        work.server.start()
    work.finish(history, relay)
    history.close()


@pytest.mark.parametrize("moment", ["put aside", "arrived", "removed"])
def test_a_relay_that_is_killed_around_its_spool_leaves_nothing_missing_and_nothing_twice(
    work: Work, moment: str
) -> None:
    """kill -9 after a file was synced, after its rows are on the server, after the file is gone."""
    at = work.server.address()
    command = [sys.executable, "-m", "tests.servers.spool_writer"]
    command += [str(work.folder), str(at.port), at.password, moment]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "open\n"
        work.server.kill()
        child.stdin.write("away\n")
        child.stdin.flush()
        if moment != "put aside":
            assert child.stdout.readline() == "put aside\n"
            work.server.start()
            child.stdin.write("back\n")
            child.stdin.flush()
        assert child.wait(60) == -signal.SIGKILL
    if moment == "put aside":
        work.server.start()
    history, relay = work.open()
    assert history.figures().files > 0
    work.go_on()
    work.finish(history, relay)
    history.close()
