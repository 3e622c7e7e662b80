"""One file of a shop's folder, read: its values and the line each of them stands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.problems import Problems

Place = tuple[str | int, ...]  # the way to a value: keys of mappings and indexes of lists
LARGEST_BYTES = 1_000_000  # a file a person writes is far smaller; a larger one is a mistake or an attack


@dataclass
class Document:
    """A read file.

    label: its path inside the shop's folder. value: dict, list, str, int, bool or None. lines: the line
    (from 1) of each key or list item. texts: the first line of the text of each scalar (a block scalar's
    text begins below its key).
    """

    label: str
    value: object
    lines: dict[Place, int] = field(default_factory=dict)
    texts: dict[Place, int] = field(default_factory=dict)

    def where(self, place: Place = ()) -> str:
        """Return ``file:line`` of the value at ``place``, or of the nearest one around it."""
        return f"{self.label}:{self._line(self.lines, place)}"

    def where_in_text(self, place: Place, line: int) -> str:
        """Return ``file:line`` of line ``line`` (from 1) inside the text at ``place``."""
        return f"{self.label}:{self._line(self.texts, place) + line - 1}"

    def _line(self, lines: dict[Place, int], place: Place) -> int:
        for length in range(len(place), -1, -1):
            if place[:length] in lines:
                return lines[place[:length]]
        return 1


def read_text(path: Path, label: str, problems: Problems) -> str | None:
    """Read a configuration file as UTF-8 (a byte order mark is accepted).

    Returns None, after adding a problem, where the file is too large, unreadable or no UTF-8.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            problems.add(f"{label}:1", "larger than 1 MB", "split it into several files")
            return None
        data = path.read_bytes()
    except OSError as error:
        problems.add(f"{label}:1", f"cannot be read ({error.strerror})", "check the file and its rights")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(f"{label}:{line}", "is not UTF-8", "save the file as UTF-8")
        return None
