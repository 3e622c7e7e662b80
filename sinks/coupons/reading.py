"""A file of codes: a text with a code a line, or a table with a column of codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sinks.coupons.codes import problem_of
from streams.contract.source import FileFormat
from streams.decode.csv import read_bytes
from streams.decode.encoding import to_utf8
from streams.decode.open import open_file
from streams.errors import InputError

COLUMN, CUSTOMER = "code", "customer"


@dataclass(frozen=True)
class Line:
    """A code of a file. customer: ``type:value``, where the file has a column for it."""

    line: int
    code: str
    customer: str | None = None


def read_codes(path: Path, column: str | None = None) -> tuple[list[Line], list[InputError]]:
    """Return the codes of a file in its order, each once, and what is wrong with lines; no error quotes a
    code. column: its heading, `COLUMN` if none is named; a file .txt without it has a code a line.

    Raises InputError where the file cannot be read at all.
    """
    found: dict[str, Line] = {}
    wrong: list[InputError] = []
    lines = _of_text(path) if path.suffix == ".txt" and column is None else _of_table(path, column or COLUMN)
    for one in lines:
        if isinstance(one, InputError):
            wrong.append(one)
        elif problem := problem_of(one.code):
            wrong.append(InputError(f"{path}:{one.line}", f"the code {problem}", "correct the line"))
        else:
            found.setdefault(one.code, one)
    return list(found.values()), wrong


def _of_text(path: Path) -> Iterator[Line]:
    if not path.is_file():
        raise InputError(str(path), "there is no such file", "check the path")
    text, _ = to_utf8(read_bytes(path), "auto", str(path))
    for number, line in enumerate(text.decode().splitlines(), start=1):
        if line.strip():
            yield Line(number, line.strip())


def _of_table(path: Path, column: str) -> Iterator[Line | InputError]:
    decoder = open_file(path, FileFormat(), [column])
    for chunk in decoder.chunks():
        for bad in chunk.malformed:
            yield InputError(f"{path}:{bad.line}", bad.problem, bad.hint)
        codes = chunk.table[column].to_pylist()
        known = CUSTOMER in chunk.table.column_names
        customers = chunk.table[CUSTOMER].to_pylist() if known else [None] * len(codes)
        for line, code, customer in zip(chunk.lines.tolist(), codes, customers, strict=True):
            yield Line(line, (code or "").strip(), customer)
