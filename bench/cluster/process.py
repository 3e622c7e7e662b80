"""What the system says of a worker's process: CPU time, and which partitions' files it holds open."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SESSION, _TIMES = 3, slice(11, 15)  # places in /proc/PID/stat behind the name (proc(5))


def session_cpu(leader: int) -> float:
    """Return the CPU seconds of all processes of a session, children that have ended included."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if int(words[_SESSION]) == leader:
            ticks += sum(map(int, words[_TIMES]))
    return ticks / _TICKS


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
