"""Snapshots beside the work: a child of this process writes them, so that nothing waits.

The child has the state as it was when it was made; the system copies what is changed meanwhile. It does
nothing but write arrays into files, and ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable


class SnapshotChild:
    """At most one child at a time. Its calls are one thread's."""

    def __init__(self) -> None:
        self._pid: int | None = None

    def begin(self, write: Callable[[], object]) -> bool:
        """Let a child write, unless one is at it; return whether it began."""
        if self.running():
            return False
        pid = os.fork()
        if pid == 0:
            self._write_and_end(write)
        self._pid = pid
        return True

    def running(self) -> bool:
        """Whether a child is at work."""
        if self._pid is None:
            return False
        done, _ = os.waitpid(self._pid, os.WNOHANG)
        if done:
            self._pid = None
        return self._pid is not None

    def stop(self) -> None:
        """End the child, if there is one: what it has not finished is never found."""
        if self.running() and self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None

    @staticmethod
    def _write_and_end(write: Callable[[], object]) -> None:
        """In the child: write, and end without the parent's own way to end (threads, files, servers)."""
        code = 1
        with contextlib.suppress(BaseException):  # whatever it is, the parent goes on without this snapshot
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's
            os.nice(10)
            write()
            code = 0
        os._exit(code)
