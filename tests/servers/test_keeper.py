"""The keeper of the servers: what it starts again, what it ends and what it leaves alone."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.servers import jars, keeper, places, process, state
from deploy.servers.__main__ import main
from deploy.servers.debian import missing
from deploy.servers.jars import FetchError, JarError
from deploy.servers.kafka import cluster_id
from deploy.servers.process import Running
from tests.servers.owner import owner
from tests.servers.waiting import wait_for

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Say]:
    """The command, on a folder of this test's own; gives what it prints."""
    monkeypatch.setattr(places, "DATA", tmp_path)
    monkeypatch.setattr(state, "DATA", tmp_path)
    monkeypatch.setattr(state, "FILE", tmp_path / "servers.json")

    def run(*words: str) -> str:
        main(list(words))
        return capsys.readouterr().out

    yield run
    run("stop")


def _pid() -> int:
    return state.read()["valkey"].running.pid


def test_a_server_goes_on_through_a_second_start_and_is_gone_after_stop(say: Say, tmp_path: Path) -> None:
    """Its process, its folder and its place in the state file."""
    assert "up in" in say("start", "valkey")
    first = _pid()
    say("start", "valkey")
    assert _pid() == first
    assert say("stop").strip() == "stopped and removed: valkey"
    assert process.birth(first) is None
    assert not (tmp_path / "valkey").exists()
    assert say("status") == ""


def test_a_server_that_was_killed_is_started_anew(say: Say) -> None:
    """The state file still has it; its process has ended."""
    say("start", "valkey")
    first = _pid()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: process.birth(first) is None, "dead")
    assert "valkey" not in say("status")
    say("start", "valkey")
    assert _pid() != first


def test_a_server_of_a_test_run_that_is_gone_is_started_anew(say: Say) -> None:
    """Its owner was killed and could not stop it: what it holds is nobody's."""
    gone = Running(os.getpid(), "1")
    keeper.start(["valkey"], gone)
    first = _pid()
    say("start", "valkey")
    assert process.birth(first) is None
    assert state.read()["valkey"].owner is None


def test_the_end_of_a_test_run_stops_only_what_it_started(say: Say) -> None:
    say("start", "valkey")
    assert keeper.stop(owner()) == []
    assert state.read()["valkey"].running.alive


def test_passwords_can_be_read_by_their_owner_only(say: Say, tmp_path: Path) -> None:
    say("start", "valkey")
    for path in (tmp_path / "servers.json", tmp_path / "valkey" / "redis.conf"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_process_that_was_given_the_number_of_an_ended_server_is_left_alone() -> None:
    """It is told by the moment of its birth."""
    with subprocess.Popen(["sleep", "60"]) as other:
        process.stop(Running(other.pid, "1"))
        assert other.poll() is None
        born = process.birth(other.pid)
        assert born is not None
        process.stop(Running(other.pid, born))
        assert process.birth(other.pid) is None


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no room left; exit 3"]
    running = process.start(command, tmp_path / "log", tmp_path, {})
    with pytest.raises(process.ServerError, match="no room left"):
        process.wait_until(lambda: False, running, tmp_path / "log", 30)


def test_a_jar_that_is_not_as_pinned_is_refused_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the registry sends: more, less, or other bytes under the same name."""
    pinned = [line.split()[1] for line in jars.lock_file("kafka").read_text().splitlines()]

    def send(name: str, folder: Path) -> None:
        folder.mkdir()
        for file in pinned:
            (folder / file).write_bytes(b"something else")

    monkeypatch.setattr(jars, "JARS", tmp_path)
    monkeypatch.setattr(jars, "DOWNLOADED", tmp_path / "m2")
    monkeypatch.setattr(jars, "AGAIN_AFTER_S", (0.0,))
    monkeypatch.setattr(jars, "fetch", send)
    with pytest.raises(JarError, match=re.escape(pinned[0])):
        jars.ensure("kafka")
    assert not (tmp_path / "kafka").exists()


def test_a_jar_that_came_in_part_is_downloaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maven would keep the part, and copy it each time; and a try that breaks off is not the last one."""
    whole, folder, downloaded = b"the whole jar", tmp_path / "kafka", tmp_path / "m2" / "group" / "one.jar"
    (tmp_path / "lock").write_text(f"{hashlib.sha256(whole).hexdigest()}  one.jar\n")
    downloaded.parent.mkdir(parents=True)
    coming = iter([whole[:3], whole])
    tries = []

    def send(name: str, folder: Path) -> None:
        tries.append(name)
        if len(tries) == 1:
            raise FetchError("the connection broke off")
        if not downloaded.exists():
            downloaded.write_bytes(next(coming))
        folder.mkdir()
        (folder / "one.jar").write_bytes(downloaded.read_bytes())

    monkeypatch.setattr(jars, "JARS", tmp_path)
    monkeypatch.setattr(jars, "ROOT", tmp_path)
    monkeypatch.setattr(jars, "DOWNLOADED", tmp_path / "m2")
    monkeypatch.setattr(jars, "AGAIN_AFTER_S", (0.0, 0.0))
    monkeypatch.setattr(jars, "lock_file", lambda name: tmp_path / "lock")
    monkeypatch.setattr(jars, "missing", lambda *tools: None)
    monkeypatch.setattr(jars, "fetch", send)
    assert jars.ensure("kafka") == folder
    assert (folder / "one.jar").read_bytes() == whole
    assert len(tries) == 3


def test_what_is_missing_is_told_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.servers.debian.find", lambda program: None)
    assert missing("redis-server", "mariadbd", "mariadb-install-db") == (
        "apt-get install --no-install-recommends mariadb-server-core redis-server"
    )


def test_every_jar_of_the_lock_files_has_one_hash() -> None:
    for name in ("kafka", "connect"):
        lines = [line.split() for line in jars.lock_file(name).read_text().splitlines()]
        assert all(len(line) == 2 and re.fullmatch(r"[0-9a-f]{64}", line[0]) for line in lines)
        assert len({file for _, file in lines}) == len(lines)


def test_the_id_of_a_kafka_cluster_is_never_taken_for_an_option() -> None:
    """One in 64 began with a hyphen, and its broker was not formatted."""
    made = {cluster_id() for _ in range(500)}
    assert len(made) == 500
    assert {len(one) for one in made} == {22}
    assert not any(one.startswith("-") for one in made)
