"""The problems of a shop's folder: gathered, so that all of them are told at once."""

from __future__ import annotations

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
