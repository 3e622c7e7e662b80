"""A folder of pages that wait for their server: files in the order in which they came, of a bounded size.

A file is written beside, synced and renamed, and so is its name in the folder; so a file is whole or is not.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from sinks.history.fresh import end_of
from sinks.history.history import Page
from streams.errors import InputError

LIMIT = 1 << 30  # bytes: some ten million changes, which come in an hour or two at 2,000 a second
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
_ABOUT = b"tintype"  # the schema's entry with the table and its pages


class SpoolFull(InputError):
    """There is no room for more; what is in stays, and whoever writes waits."""


@dataclass(frozen=True)
class SpoolFigures:
    """What waits: bytes and files, and the seconds for which the oldest has waited."""

    bytes: int
    files: int
    oldest_seconds: float


@dataclass(frozen=True)
class Waiting:
    """A file: pages of one table. ``after``: of each page, up to where its partition was taken before it."""

    path: Path
    size: int
    since: float
    table: str
    bounds: tuple[tuple[int, int, int, int], ...]  # partition, first, last row's, rows
    after: tuple[int, ...]

    def pages(self) -> list[Page]:
        """Return the pages. Raises InputError if the file is damaged."""
        rows = _read(self.path).read_all()
        pages, start = [], 0
        for partition, first, last, count in self.bounds:
            pages.append(Page(partition, first, last, rows.slice(start, count)))
            start += count
        return pages


class Spool:
    """One thread's; one process at a time has the folder. ``limit``: bytes of all files together.

    Raises InputError if another process has it, or a file is damaged.
    """

    def __init__(self, folder: Path, limit: int = LIMIT, now: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._now = now
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for half in folder.glob("*.new"):
                half.unlink()
            self._files = deque(_described(path) for path in sorted(folder.glob("*.arrow")))
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(str(folder), "another process has this spool", "end that one") from None
        except BaseException:
            os.close(self._lock)
            raise
        self._next = int(self._files[-1].path.stem) + 1 if self._files else 0

    def __len__(self) -> int:
        return len(self._files)

    def add(self, table: str, pages: Sequence[Page], after: Sequence[int]) -> None:
        """Put pages behind what waits; they are on disk when it returns. Raises SpoolFull, changing nothing.

        after: as of `Waiting`.
        """
        bounds = [(page.partition, page.first, end_of(table, page), page.table.num_rows) for page in pages]
        body = _encoded(pages, {"table": table, "bounds": bounds, "after": list(after)})
        held = self.figures().bytes
        if held + len(body) > self._limit:
            raise SpoolFull(
                str(self._folder), f"{held:,} bytes wait for history's server, and no more may",
                "bring the server back; nothing is lost: what comes out waits in the outbox and the log",
            )  # fmt: skip
        path = self._folder / f"{self._next:012d}.arrow"
        self._write(path, body)
        self._next += 1
        self._files.append(Waiting(path, len(body), self._now(), table, tuple(bounds), tuple(after)))

    def oldest(self) -> Waiting | None:
        """Return what has waited longest."""
        return self._files[0] if self._files else None

    def remove_oldest(self) -> None:
        """Drop what has waited longest: it has arrived."""
        self._files.popleft().path.unlink()

    def clear(self) -> None:
        """Drop everything, the newest first, so that what is left is without a gap also after a crash."""
        while self._files:
            self._files.pop().path.unlink()
        self._sync_folder()

    def last(self, table: str) -> dict[int, int]:
        """Return for each partition the last sequence of a table that waits."""
        found: dict[int, int] = {}
        for one in self._files:
            if one.table == table:
                found.update({partition: last for partition, _, last, _ in one.bounds})
        return found

    def figures(self) -> SpoolFigures:
        """Return how much waits, and for how long."""
        oldest = self._files[0].since if self._files else self._now()
        size = sum(one.size for one in self._files)
        return SpoolFigures(size, len(self._files), max(0.0, self._now() - oldest))

    def close(self) -> None:
        """Let another process have the folder; what waits stays."""
        os.close(self._lock)

    def _write(self, path: Path, body: bytes) -> None:
        half = path.with_suffix(".new")
        try:
            with half.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
            self._sync_folder()
        except OSError as error:
            half.unlink(missing_ok=True)
            raise SpoolFull(
                str(self._folder), f"the spool cannot be written ({error.strerror})",
                "make room on the disk; nothing is lost: what comes out waits in the outbox and the log",
            ) from error  # fmt: skip

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _encoded(pages: Sequence[Page], about: Mapping[str, Any]) -> bytes:
    rows = pa.concat_tables([page.table for page in pages], promote_options="default")
    schema = rows.schema.with_metadata({_ABOUT: json.dumps(about)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=_OPTIONS) as writer:
        writer.write_table(rows.cast(schema))
    return bytes(sink.getvalue())


def _described(path: Path) -> Waiting:
    about = json.loads(_read(path).schema.metadata[_ABOUT])
    told = path.stat()
    bounds = tuple((one[0], one[1], one[2], one[3]) for one in about["bounds"])
    return Waiting(path, told.st_size, told.st_mtime, about["table"], bounds, tuple(about["after"]))


def _read(path: Path) -> Any:
    try:
        return pa.ipc.open_stream(pa.py_buffer(path.read_bytes()))
    except pa.ArrowInvalid as error:
        hint = "move it and those behind it away; what they had is copied again from the log"
        raise InputError(str(path), f"the file is damaged ({error})", hint) from error
