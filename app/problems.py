"""The problems of a shop's folder: gathered, so that all of them are told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from streams.errors import InputError


class ConfigError(Exception):
    """A shop's folder cannot be used; ``errors`` holds every problem, by file and line."""

    def __init__(self, errors: list[InputError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = errors


class Problems:
    """Collects problems while a folder is read; ``raise_if_any`` ends the reading."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], InputError] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, where: str, problem: str, hint: str) -> None:
        """Record one problem at ``file:line``. The same problem at the same place is told once."""
        self._found.setdefault((where, problem), InputError(where, problem, hint))

    def raise_if_any(self) -> None:
        """Raise ConfigError with everything found so far, ordered by file and line."""
        if self._found:
            raise ConfigError(sorted(self._found.values(), key=_file_and_line))


def _file_and_line(error: InputError) -> tuple[str, int]:
    path, _, line = error.where.rpartition(":")
    return (path, int(line)) if line.isdigit() else (error.where, 0)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt name: the nearest known one, or what there is.

    >>> suggest("ordrs", ["orders", "views"])
    "did you mean 'orders'?"
    >>> suggest("x", ["orders", "views"])
    'known are: orders, views'
    >>> suggest("x", [])
    'none is declared'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not names:
        return "none is declared"
    shown = ", ".join(names[:12])
    return f"known are: {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")
