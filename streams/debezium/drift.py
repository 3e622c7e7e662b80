"""What runs, against what its file says."""

from __future__ import annotations

from dataclasses import dataclass

from streams.debezium.files import SECRET


@dataclass(frozen=True)
class Difference:
    """One setting: None where it is absent. Values of secrets are not shown."""

    key: str
    file: str | None
    running: str | None

    def __str__(self) -> str:
        return f"{self.key}: the file says {_shown(self.file)}, {_shown(self.running)} runs"


def differences(file: dict[str, str], running: dict[str, str]) -> list[Difference]:
    """Return the settings that differ, in order. Connect adds ``name`` to what runs; that is none.

    >>> [str(one) for one in differences({"a": "1"}, {"a": "2", "name": "shop"})]
    ['a: the file says 1, 2 runs']
    """
    found = []
    for key in sorted({*file, *running} - {"name"}):
        here, there = file.get(key), running.get(key)
        if here != there:
            found.append(Difference(key, _masked(key, here), _masked(key, there)))
    return found


def _masked(key: str, value: str | None) -> str | None:
    return "***" if value and SECRET.search(key) and not value.startswith("${") else value


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value
