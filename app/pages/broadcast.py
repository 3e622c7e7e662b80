"""Pages of ``tintype broadcast``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from app.moments import write_moment
from app.output import page
from sinks.deliveries.progress import Progress
from triggers.trigger import Trigger


def broadcast_table(
    found: Mapping[str, Trigger], times: Mapping[str, Sequence[int]], rows: Mapping[str, Progress], zone: str,
    now: int,
) -> Table:  # fmt: skip
    """Return a table of broadcasts. times: epoch minutes of each; now: one."""
    table = Table(box=None, pad_edge=False)
    for column in ("broadcast", "title", "status", "next", "to act", "refused", "held", "deliveries"):
        table.add_column(column, overflow="fold")
    for name, trigger in found.items():
        later = [one for one in times[name] if one > now]
        done = rows[name]
        counts = (f"{done.outcomes.get(one, 0):,}" for one in ("act", "refused", "held"))
        table.add_row(
            name, trigger.title.replace("[", "\\["), trigger.status,
            write_moment(later[0], zone) if later else "over", *counts, _line(done.deliveries),
        )  # fmt: skip
    return table


def show_broadcast(name: str, done: Progress) -> None:
    """Print how far one is."""
    page.print(f"{name}: decided: {_line(done.outcomes) or 'nothing yet'}", markup=False)
    if done.guards:
        page.print(f"not to act by {_line(done.guards)}", markup=False)
    page.print(f"deliveries: {_line(done.deliveries) or 'none yet'}", markup=False)


def show_count(body: Mapping[str, Any]) -> None:
    """Print whom one would reach."""
    acts = body["outcomes"].get("act", 0)
    page.print(f"{body['name']} at {body['at']}: {acts:,} of {body['audience']:,} customers", markup=False)
    if body["guards"]:
        page.print(f"not: {_line(body['guards'])}", markup=False)


def _line(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
