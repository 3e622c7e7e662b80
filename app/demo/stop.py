"""Ctrl-C as a wish to end, heard between two minutes: nothing is cut off in the middle of one."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Stop:
    """While this context is open the first Ctrl-C only sets `asked`; a second one interrupts at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def __enter__(self) -> Stop:
        self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def wait(self, seconds: float) -> None:
        """Let time pass, or less where the end is asked for."""
        self._asked.wait(max(0.0, seconds))
