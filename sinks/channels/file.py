"""A file: one JSON document a line, for whatever reads files."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import Field

from sinks.channels.batch import Batch
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Around
from sinks.channels.settings import ProviderSettings

WRITTEN = ("id", "minute", "to", "channel", "template", "text")


class FileSettings(ProviderSettings):
    """A file of JSON lines."""

    kind: Literal["file"] = "file"
    path: str = Field(description="of the file, relative to the shop's data folder")


class File:
    """Appends messages to a file, synced before `send` returns. `erase` may be called from any thread."""

    def __init__(self, settings: FileSettings, around: Around) -> None:
        self._path = around.folder / settings.path
        self._lock = threading.Lock()

    async def open(self) -> None:
        """Make its folder."""
        self._path.parent.mkdir(parents=True, exist_ok=True)

    async def send(self, batch: Batch) -> None:
        """Append the messages: id, minute, to, channel, template, text."""
        messages = list(batch)
        lines = "".join(
            json.dumps({name: getattr(message, name) for name in WRITTEN}, ensure_ascii=False) + "\n"
            for message in messages
        )
        try:
            with self._lock:
                outcome = self._append(lines)
        except OSError as error:
            outcome = Refused("retry", "", f"{self._path} cannot be opened: {error}")
        for message in messages:
            batch.tell(message, outcome)

    def _append(self, lines: str) -> Outcome:
        with self._path.open("a", encoding="utf-8") as file:
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:  # some of it may be there
                return Unknown(f"{self._path} cannot be written: {error}")
        return Accepted()

    def erase(self, references: Collection[str], ids: Collection[str] = ()) -> int:
        """Take out the messages to whoever is called so, and those of these ids; return how many. The file is
        another one then."""
        with self._lock:
            if not self._path.exists():
                return 0
            # at \n alone: a text may hold what str.splitlines takes for a line's end, such as U+2028
            with self._path.open(encoding="utf-8", newline="\n") as file:
                lines = list(file)
            kept = [line for line in lines if not _is_one(line, references, ids)]
            if len(kept) < len(lines):
                write_whole(self._path, kept)
        return len(lines) - len(kept)

    async def close(self) -> None:
        """Nothing is held between messages."""


def write_whole(path: Path, lines: Collection[str]) -> None:
    """Put a file in the place of another, all or nothing."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _is_one(line: str, references: Collection[str], ids: Collection[str]) -> bool:
    try:
        said = json.loads(line)
        return said.get("to") in references or said.get("id") in ids
    except (ValueError, AttributeError):  # a line that a crash has cut
        return False
