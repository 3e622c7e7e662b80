"""Commands of Tintype as processes, forked from one that has everything loaded.

To load it takes two thirds of a worker's start, and tests start hundreds. From its first line on each is as
if it had been started by itself, but for the seed of hashes, which all of one test run share. tests/app and
tests/console start real ones.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.servers.loaded"])
    return context


class Forked:
    """One that runs, in a session of its own; what it writes goes behind what is in the files."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, error: Path | None = None
    ) -> None:
        for file in (out, error or out):
            file.touch()
        target = (list(arguments), dict(environment), str(out), str(error or out))
        self._process = _context().Process(target=_run, args=target, daemon=True)  # ends with the tests
        self._process.start()
        while self.poll() is None and os.getpgid(self.pid) != self.pid:
            time.sleep(0.001)  # until it leads its group: groups are killed

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return its code, -9 of one that was killed; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end and return its code. Raises subprocess.TimeoutExpired."""
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("tintype", seconds or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs still."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def _run(arguments: list[str], environment: dict[str, str], out: str, error: str) -> None:
    from app.cli import main

    os.setsid()
    os.chdir(ROOT)
    for path, number in ((out, 1), (error, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["tintype", *arguments]
    sys.exit(main(arguments))
