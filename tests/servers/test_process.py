"""When a process has ended: not before the last of its threads, which hold its ports."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from deploy.servers.process import birth, start, stop

LEADER_ENDS = (
    "import ctypes, threading, time;"
    "threading.Thread(target=time.sleep, args=(60,)).start();"
    "ctypes.CDLL(None).syscall(60, 0)"
)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_one_whose_first_thread_has_ended_lives_while_another_does(tmp_path: Path) -> None:
    """As a Redis that was killed while a thread of its own writes to a slow disk."""
    running = start(["python3", "-c", LEADER_ENDS], tmp_path / "log", tmp_path, {})
    until = time.monotonic() + 20
    while state(running.pid) != "Z":
        assert time.monotonic() < until, "its first thread does not end"
        time.sleep(0.01)
    assert running.alive
    os.kill(running.pid, signal.SIGKILL)
    stop(running)
    assert not running.alive


def test_one_that_nobody_has_waited_for_has_ended(tmp_path: Path) -> None:
    running = start(["sleep", "60"], tmp_path / "log", tmp_path, {})
    os.kill(running.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while birth(running.pid) is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert state(running.pid) == "Z"
    os.waitpid(running.pid, 0)
