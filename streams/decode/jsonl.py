"""JSON lines, every value as its exact text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from streams.contract.numbers import ValueProblem
from streams.contract.source import FileFormat
from streams.decode.chunk import Chunk, Malformed, check_headings, text_table
from streams.decode.csv import read_bytes
from streams.decode.encoding import to_utf8
from streams.decode.json_row import as_text, parse_row
from streams.errors import InputError

CHUNK_ROWS = 50_000


class JsonLinesFile:
    """An opened file of one JSON object a line (.gz too); the whole of it is held in memory.

    Numbers keep the digits they were written with, true and false become ``true`` and ``false``, a nested
    value becomes compact JSON. The headings are all names that occur. Empty lines are left out.
    """

    def __init__(self, path: Path, form: FileFormat, names: Collection[str] = ()) -> None:
        """names: columns that must be text or a number (see ``parse_row``)."""
        self._where = str(path)
        self._plain = names
        data, encoding = to_utf8(read_bytes(path), form.encoding, self._where)
        self._lines = data.decode().split("\n")  # not splitlines: text may hold other line separators
        self.total_bytes = len(data)
        self.headings = self._names()
        check_headings(self.headings, self._where)
        self.report = f"JSON lines, {encoding}"

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; a line that is no JSON object comes out as malformed."""
        done = 0
        for start in range(0, len(self._lines), CHUNK_ROWS):
            part = self._lines[start : start + CHUNK_ROWS]
            done += sum(len(line.encode()) + 1 for line in part)
            numbers: list[int] = []
            rows: list[dict[str, Any]] = []
            malformed: list[Malformed] = []
            for number, line in enumerate(part, start=start + 1):
                if not line.strip():
                    continue
                row = _parse(line, self._plain)
                if isinstance(row, ValueProblem):
                    malformed.append(Malformed(number, row.problem, row.hint, line.rstrip("\r")))
                else:
                    numbers.append(number)
                    rows.append(row)
            columns = [[as_text(row.get(name)) for row in rows] for name in self.headings]
            table = text_table(self.headings, columns)
            yield Chunk(np.array(numbers, dtype=np.int64), table, min(done, self.total_bytes), malformed)

    def _names(self) -> list[str]:
        names: dict[str, None] = {}
        for line in self._lines:
            row = _parse(line, ()) if line.strip() else None
            if isinstance(row, dict):
                names.update(dict.fromkeys(row))
        if not names:
            raise InputError(self._where, "no line holds a JSON object", "write one JSON object a line")
        return list(names)


def _parse(line: str, names: Collection[str]) -> dict[str, Any] | ValueProblem:
    try:
        return parse_row(line.encode(), names)
    except ValueProblem as problem:
        return problem
