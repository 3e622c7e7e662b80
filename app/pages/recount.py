"""Decisions counted over, as the audit shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from app.output import page


def as_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `app.recount.recount` has found, without its differences, as JSON's types."""
    return {**found, "guards": {name: asdict(one) for name, one in found["guards"].items()}}


def print_decisions(found: Mapping[str, Any]) -> None:
    """Print how many were counted over, and by each guard what was checked and where it was violated first.
    found: as of `as_json`."""
    told = f"; {found['told']:,} stand in their topic so" if "told" in found else ""
    page.print(
        f"decisions: the guards of {found['counted']:,} counted over{told}; "
        f"{found['carried']:,} stand in the ledger so"
    )
    table = Table("guard", "checked", "refused", "violations", "the first", box=None)
    for name, one in found["guards"].items():
        checked = f"{one['checked']:,}" if one["checked"] or not found["counted"] else "its place only"
        table.add_row(name, checked, f"{one['refused']:,}", f"{one['violated']:,}", one["first"])
    page.print(table)
