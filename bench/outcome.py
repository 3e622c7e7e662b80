"""What a measurement hands back: its rows, tables to paste into a document, and drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ("what", "value", "unit", "against", "ratio", "goal", "reached")


@dataclass(frozen=True)
class Outcome:
    """rows: as of `bench.figures.figure`; tables: Markdown; drawings: file name to SVG text."""

    rows: list[dict[str, Any]]
    tables: Sequence[str] = ()
    drawings: Mapping[str, str] = field(default_factory=dict)


def cell(value: object) -> str:
    """Return a value as a table shows it.

    >>> cell(None), cell(1234.5), cell(0.123456), cell(True), cell("x")
    ('', '1,234', '0.123', 'yes', 'x')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def markdown(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table.

    >>> print(markdown(["a", "b"], [[1, None]]))
    | a | b |
    |---|---|
    | 1 |  |
    """
    lines = ["| " + " | ".join(map(cell, row)) + " |" for row in (headings, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(headings), *lines[1:]])


def markdown_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    return markdown(COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
