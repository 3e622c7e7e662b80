"""One writer at a time: a lock on the log's folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from streams.errors import InputError


class WrittenElsewhere(InputError):
    """Another process is the log's one writer; it can still be opened for reading."""


class WriterLock:
    """Holds ``log.lock`` until it is released or the process ends (the system then frees it)."""

    def __init__(self, folder: Path) -> None:
        path = folder / "log.lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise WrittenElsewhere(
                str(folder),
                f"another process (pid {holder}) is writing this log",
                "wait until it ends, or stop it",
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others write."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
