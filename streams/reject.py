"""Rejected rows: where, why, what to do, and the row itself."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

LINE_TEXT = "line text"


@dataclass(frozen=True)
class Rejected:
    """One row that was not taken. raw: its fields by heading, or the whole line under ``line text``."""

    where: str
    line: int
    problem: str
    hint: str
    raw: dict[str, str | None]

    def __str__(self) -> str:
        return f"{self.where}:{self.line}: {self.problem}: {self.hint}"


def rejected_path(folder: Path, file: Path) -> Path:
    """Return where a file's rejected rows are written: FILE.rejected.csv in the log's folder."""
    return folder / f"{file.name}.rejected.csv"


def write_rejected(path: Path, rejected: list[Rejected]) -> None:
    """Write the rows as CSV (UTF-8 with a mark, so that spreadsheets read it); no rows: no file.

    Columns: where (file:line), problem, hint, then the row's own columns.
    """
    if not rejected:
        path.unlink(missing_ok=True)  # a former import's list would mislead
        return
    headings = list(dict.fromkeys(name for row in rejected for name in row.raw))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["where", "problem", "hint", *headings])
        for row in rejected:
            fields = [row.raw.get(name) or "" for name in headings]
            writer.writerow([f"{row.where}:{row.line}", row.problem, row.hint, *fields])
