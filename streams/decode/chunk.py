"""What every decoder yields: raw columns of text, with the line each row stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.contract.numbers import quoted
from streams.errors import InputError

TEXT = pa.large_string()


@dataclass(frozen=True)
class Malformed:
    """A line that is no row at all, such as one with too few fields."""

    line: int
    problem: str
    hint: str
    raw: str


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    lines: int64, shape (rows,), the line, sheet row or record number (from 1) at which each row begins;
    table: one ``large_string`` column a heading, null where the file has nothing (empty text is null);
    done_bytes: how much of the file lies behind.
    """

    lines: NDArray[np.int64]
    table: pa.Table
    done_bytes: int
    malformed: list[Malformed] = field(default_factory=list)


class Decoder(Protocol):
    """One opened file."""

    headings: list[str]
    total_bytes: int
    report: str  # how the file was understood, in words

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in the file's order. Raises InputError where the file cannot be read."""
        ...


def check_headings(headings: list[str], where: str) -> None:
    """Raise InputError if a heading is missing or stands twice."""
    for number, heading in enumerate(headings, start=1):
        if not heading.strip():
            hint = "name each column, and take rows above the headings away"
            raise InputError(where, f"column {number} has no heading", hint)
        if "\0" in heading:
            hint = "export it as text anew, or set format.encoding of the source"
            raise InputError(where, f"heading {number} holds a zero byte: this is no text, or damaged", hint)
    doubled = sorted({name for name in headings if headings.count(name) > 1})
    if doubled:
        names = ", ".join(quoted(name) for name in doubled)
        raise InputError(where, f"heading {names} stands more than once", "rename or remove the second one")
    if not headings:
        raise InputError(where, "the file is empty", "the first line must name the columns")


def text_table(headings: list[str], columns: list[list[str | None]]) -> pa.Table:
    """Build a chunk's table from Python columns; empty text becomes null."""
    arrays = [pa.array([cell or None for cell in column], type=TEXT) for column in columns]
    return pa.Table.from_arrays(arrays, names=headings)
