"""The page of ``tintype triggers``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from app.life.standing import Standing
from app.moments import write_moment
from app.output import page
from sinks.deliveries.shadow import Shadow

_STYLES = {"live": "green", "shadow": "cyan", "paused": "yellow"}


def show_triggers(rows: Sequence[Standing], zone: str) -> None:
    """Print where triggers stand by their files and in the log, and what each did in shadow: how often it
    would have sent, to how many customers, and what was refused; and which are switched off. No name is ever
    folded: what is long stands in lines below.
    """
    table = Table(box=None, pad_edge=False)
    widest = max((cell_len(one.name) for one in rows), default=0)
    table.add_column("trigger", no_wrap=True, min_width=widest)
    for name in ("status", "in force", "since", "shadow", "customers"):
        table.add_column(name, overflow="fold")
    for one in rows:
        status = f"[{_STYLES[one.status]}]{one.status}[/]" if one.status in _STYLES else one.status
        since = "" if one.since is None else write_moment(one.since, zone) if one.since else "the beginning"
        standing = one.in_force or "-"
        if one.in_force and not one.rule_in_force:
            standing += ", another rule"
        ran = _ran(one)
        numbers = [f"{ran.act:,}", f"{ran.customers:,}"] if ran else ["", ""]
        table.add_row(escape(one.name), status, standing, since, *numbers)
    page.print(table)
    for one in rows:
        for line in _below(one):
            page.print(f"{one.name}{line}", markup=False, soft_wrap=True)


def _ran(one: Standing) -> Shadow | None:
    return one.shadow if one.shadow_since is not None else None


def _below(one: Standing) -> Iterator[str]:
    """Yield what is said of a trigger below the table."""
    ran = _ran(one)
    if ran and ran.refused:
        guards = ", ".join(f"{guard} {number:,}" for guard, number in ran.refused.items())
        yield f": in shadow refused by {guards}"
    if one.forecast:
        yield f": forecast {one.forecast.most:,} in {one.forecast.within}"
    if one.stopped is not None:
        why = one.stopped or "no reason given"
        yield f" is switched off: {why}; tintype switch SHOP trigger/{one.name} --on lets it go on"
