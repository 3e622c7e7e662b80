"""What the system says of a worker's process: CPU time, memory, and which partitions' files it holds open."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SESSION, _TIMES = 3, slice(11, 15)  # places in /proc/PID/stat behind the name (proc(5))


def session_cpu(leader: int) -> float:
    """Return the CPU seconds of all processes of a session, children that have ended included."""
    return sum(sum(map(int, words[_TIMES])) for _, words in _session(leader)) / _TICKS


def session_memory(leader: int) -> int:
    """Return the bytes of memory that all processes of a session hold; what they share counts once."""
    found = 0
    for folder, _ in _session(leader):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
            lines = (folder / "smaps_rollup").read_text().splitlines()
            found += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found


def _session(leader: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folder in /proc of each process of a session, and what its stat says behind the name."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if int(words[_SESSION]) == leader:
            yield path.parent, words


def held_partitions(pid: int, data: Path) -> set[int]:
    """Return the partitions whose copies in a worker's data folder its process holds open."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            target = os.readlink(path)
        except FileNotFoundError:
            continue  # closed while we looked
        if match := re.fullmatch(rf"{re.escape(str(data))}/(\d+)/log\.sqlite", target):
            found.add(int(match[1]))
    return found
