"""The page of ``tintype triggers``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from app.life.standing import Standing
from app.moments import write_moment
from app.output import page

_STYLES = {"live": "green", "shadow": "cyan", "paused": "yellow"}


def show_triggers(rows: Sequence[Standing], zone: str) -> None:
    """Print where triggers stand by their files and in the log, and what each did in shadow: how often it
    would have sent, to how many customers, and what was refused; and which are switched off.
    """
    table = Table(box=None, pad_edge=False)
    for name in ("trigger", "status", "in force", "since", "shadow", "customers", "refused", "forecast"):
        table.add_column(name, overflow="fold", no_wrap=name == "since")
    for one in rows:
        status = f"[{_STYLES[one.status]}]{one.status}[/]" if one.status in _STYLES else one.status
        since = "" if one.since is None else write_moment(one.since, zone) if one.since else "the beginning"
        ran = one.shadow_since is not None
        numbers = [f"{one.shadow.act:,}", f"{one.shadow.customers:,}"] if ran else ["", ""]
        refused = ", ".join(f"{guard} {number:,}" for guard, number in one.shadow.refused.items())
        forecast = f"{one.forecast.most:,} in {one.forecast.within}" if one.forecast else ""
        standing = one.in_force or "-"
        if one.in_force and not one.rule_in_force:
            standing += ", another rule"
        table.add_row(one.name, status, standing, since, *numbers, refused, forecast)
    page.print(table)
    for one in rows:
        if one.stopped is not None:
            page.print(f"{one.name} is switched off: {one.stopped or 'no reason given'}; tintype switch SHOP "
                       f"trigger/{one.name} --on lets it go on", markup=False, soft_wrap=True)  # fmt: skip
