"""A process that outlives its starter: started, watched until it answers, and ended by its own id."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PAUSE_S = 0.1
STOP_S = 20.0


@dataclass(frozen=True)
class Running:
    """A process by its id and the moment of its birth, since the system gives ids again."""

    pid: int
    born: str

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return birth(self.pid) == self.born


def birth(pid: int) -> str | None:
    """Return when a process began, in ticks since the machine's start; None if it has ended.

    A zombie has, once no thread of it is left: one that writes to disk yet holds the ports and files of all.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, threads = after_name[0], int(after_name[17])
    return None if state == "X" or (state == "Z" and threads <= 1) else after_name[19]


def start(command: list[str], log: Path, folder: Path, environment: dict[str, str]) -> Running:
    """Start a command in a session of its own, so that a Ctrl-C meant for its starter does not reach it.

    Not by `subprocess`, whose object would warn when its starter ends before the server does.
    """
    words = ["env", f"--chdir={folder}", *command]
    log.touch()
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_APPEND, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawnp("env", words, os.environ | environment, file_actions=streams, setsid=True)
    return Running(pid, birth(pid) or "ended at once")


class ServerError(Exception):
    """A server that does not come up. Tells the end of its log."""

    def __init__(self, problem: str, log: Path) -> None:
        told = log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:] if log.exists() else []
        super().__init__("\n".join([f"{problem}; the end of {log}:", *told]))


def wait_until(answers: Callable[[], bool], running: Running, log: Path, seconds: float) -> None:
    """Return once it answers. Raises `ServerError` when it ends before, or takes longer."""
    until = time.monotonic() + seconds
    while not answers():
        if not running.alive:
            raise ServerError("the server ended", log)
        if time.monotonic() > until:
            raise ServerError(f"the server does not answer after {seconds:.0f} s", log)
        time.sleep(PAUSE_S)


def stop(running: Running, seconds: float = STOP_S) -> None:
    """End a process: asked first, killed after ``seconds``. One that has ended already is let be."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if not running.alive:
            break
        with suppress(ProcessLookupError):
            os.kill(running.pid, how)
        until = time.monotonic() + seconds
        while running.alive and time.monotonic() < until:
            time.sleep(PAUSE_S)
    with suppress(ChildProcessError):
        os.waitpid(running.pid, os.WNOHANG)
