"""The file channel: one JSON document a line, for whatever reads files."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from sinks.channels.message import Message


class FileChannel:
    """Appends messages to a file, each synced before `send` returns. Any thread may call it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def send(self, message: Message) -> None:
        """Append the message: id, minute, to, channel, template, text."""
        with self._lock:
            self._file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def erase(self, references: Collection[str]) -> int:
        """Take out the messages to whoever is called so; return how many. The file is another one then."""
        with self._lock:
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if not _is_to(line, references)]
            if len(kept) < len(lines):
                fresh = self._path.with_name(self._path.name + ".new")
                with fresh.open("w", encoding="utf-8") as file:
                    file.writelines(kept)
                    file.flush()
                    os.fsync(file.fileno())
                self._file.close()
                fresh.replace(self._path)
                self._file = self._path.open("a", encoding="utf-8")
        return len(lines) - len(kept)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_to(line: str, references: Collection[str]) -> bool:
    try:
        return json.loads(line).get("to") in references
    except (ValueError, AttributeError):  # a line that a crash has cut
        return False
