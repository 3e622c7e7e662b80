"""The file channel: one JSON document a line, for whatever reads files."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from sinks.channels.message import Message


class FileChannel:
    """Appends messages to a file, each synced before `send` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def send(self, message: Message) -> None:
        """Append the message: id, minute, to, channel, template, text."""
        self._file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
