"""Checks of a source of rows that something names, and of a column that is read from its history."""

from __future__ import annotations

from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest
from streams.contract.source import Source


def check_source(
    folder: Folder, label: str, place: Place, name: str, problems: Problems,
    hint: str = "name a source of kind rows",
) -> Source | None:  # fmt: skip
    """Return a source of rows; None where it is none (hint: what to do then), or is wrong itself."""
    where = folder.where(label, *place)
    if name not in folder.names["sources"]:
        near = suggest(name, folder.names["sources"], "source")
        problems.add(where, f"there is no source '{name}'", near)
        return None
    source = folder.shop.sources.get(name)
    if source is not None and source.kind != "rows":
        problems.add(where, f"'{name}' is no source of rows", hint)
        return None
    return source


def check_column(
    folder: Folder, label: str, place: Place, column: str, source: Source, problems: Problems
) -> bool:
    """Say whether a source has a column that can be read in history."""
    where = folder.where(label, *place)
    if column not in source.columns:
        hint = suggest(column, source.columns, "column")
        problems.add(where, f"source '{source.name}' has no column '{column}'", hint)
        return False
    if source.columns[column].personal:
        problems.add(where, f"column '{column}' is personal", "history has it sealed: name another")
        return False
    return True
