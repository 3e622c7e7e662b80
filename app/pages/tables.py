"""Tables of pages, whose cells fold rather than lose what does not fit."""

from __future__ import annotations

from rich.table import Table


def folding_table(*columns: str) -> Table:
    """Return a table with these columns, without a frame."""
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
