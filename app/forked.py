"""Something worked out beside the work: a child of this process has the state as it is, and nothing waits.

As of `app.snapshot_child`: the system copies what is changed meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable

_AT_ONCE = 65_536  # bytes, what a pipe holds


class Failed(Exception):
    """The child has not come to an end, or not in time."""


class Forked:
    """A child that works something out. It is made in the thread whose state it is to have; any thread may
    wait for it, one does, and whoever makes one waits for it."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        self._end, into = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _work_and_end(work, into)
        os.close(into)

    def result(self, seconds: float) -> bytes:
        """Return what it has worked out. Raises Failed; it is ended then."""
        until, parts = time.monotonic() + seconds, list[bytes]()
        news = select.poll()  # `select` takes no descriptor above 1,023
        news.register(self._end, select.POLLIN)
        try:
            while True:
                left = until - time.monotonic()
                if left <= 0 or not news.poll(left * 1000):
                    os.kill(self._pid, signal.SIGKILL)
                    raise Failed(f"no answer within {seconds:.0f} s")
                part = os.read(self._end, _AT_ONCE)
                if not part:
                    break
                parts.append(part)
        finally:
            os.close(self._end)
            _, status = os.waitpid(self._pid, 0)
        if status:
            raise Failed("it ended before it had an answer")
        return b"".join(parts)


def _work_and_end(work: Callable[[], bytes], into: int) -> None:
    """In the child: work, and end without the parent's own way to end (threads, files, servers)."""
    code = 1
    with contextlib.suppress(BaseException):  # whoever waits is told that there is no answer
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's
        os.nice(10)
        answer = memoryview(work())
        while answer:
            answer = answer[os.write(into, answer) :]
        code = 0
    os._exit(code)
