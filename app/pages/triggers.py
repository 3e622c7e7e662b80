"""The page of ``tintype triggers``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from app.moments import write_moment
from app.standing import Standing

_STYLES = {"live": "green", "shadow": "cyan", "paused": "yellow"}


def trigger_table(rows: Sequence[Standing], zone: str) -> Table:
    """Return a table of triggers: where each stands by its file and in the log, and what it did in shadow:
    how often it would have sent, to how many customers, and what was refused.
    """
    table = Table(box=None, pad_edge=False)
    for name in ("trigger", "status", "in force", "since", "version", "shadow", "customers", "refused"):
        table.add_column(name, overflow="fold")
    for one in rows:
        status = f"[{_STYLES[one.status]}]{one.status}[/]" if one.status in _STYLES else one.status
        since = "" if one.since is None else write_moment(one.since, zone) if one.since else "the beginning"
        ran = one.shadow_since is not None
        numbers = [f"{one.shadow.act:,}", f"{one.shadow.customers:,}"] if ran else ["", ""]
        refused = ", ".join(f"{guard} {number:,}" for guard, number in one.shadow.refused.items())
        standing = (one.in_force or "-") + (", switched off" if one.off else "")
        table.add_row(one.name, status, standing, since, one.version, *numbers, refused)
    return table
