"""Checks of every rule text of a shop, by the language's own checker (rules/check.py)."""

from __future__ import annotations

from app.folder import Folder
from app.problems import Problems


def check_rules(folder: Folder, problems: Problems) -> None:
    """Read and check every rule."""
