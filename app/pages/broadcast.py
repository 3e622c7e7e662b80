"""Pages of ``tintype broadcast``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from app.life.broadcasts import dates_of
from app.moments import write_moment
from app.output import page
from sinks.deliveries.progress import Progress
from triggers.trigger import Trigger


@dataclass(frozen=True)
class Going:
    """A broadcast under way. stands: on, off or paused."""

    stands: str
    progress: Progress


def broadcast_table(
    found: Mapping[str, Trigger], going: Mapping[str, Going], zone: str, now: int
) -> Table:
    """Return a table of broadcasts. now: an epoch minute."""
    table = Table(box=None, pad_edge=False)
    for column in ("broadcast", "title", "status", "next", "to act", "refused", "held", "deliveries", "last"):
        table.add_column(column, overflow="fold")
    for name, trigger in found.items():
        later = [one for one in dates_of(trigger, zone) if one > now]
        done, stands = going[name].progress, going[name].stands
        counts = (f"{done.outcomes.get(one, 0):,}" for one in ("act", "refused", "held"))
        status = trigger.status if stands == "on" else f"{trigger.status}, {stands}"
        table.add_row(
            name, trigger.title.replace("[", "\\["), status,
            write_moment(later[0], zone) if later else "over", *counts, _line(done.deliveries),
            _last(done, zone),
        )  # fmt: skip
    return table


def show_broadcast(name: str, trigger: Trigger, going: Going, zone: str) -> None:
    """Print how far one is."""
    done = going.progress
    page.print(f"{name}: decided: {_line(done.outcomes) or 'nothing yet'}", markup=False)
    if done.guards:
        page.print(f"not to act by {_line(done.guards)}", markup=False)
    page.print(f"deliveries: {_line(done.deliveries) or 'none yet'}", markup=False)
    pace = trigger.action.pace
    if pace is not None:
        page.print(f"pace: {pace.most:,} within {pace.within}", markup=False)
    if going.stands != "on":
        page.print(f"it is {going.stands}: tintype switch SHOP says why", markup=False)
    if done.last is not None:
        page.print(f"the last of what waits leaves at {_last(done, zone)}", markup=False)


def _last(done: Progress, zone: str) -> str:
    return "" if done.last is None else write_moment(int(done.last // 60), zone)


def show_count(body: Mapping[str, Any]) -> None:
    """Print whom one would reach."""
    acts = body["outcomes"].get("act", 0)
    page.print(f"{body['name']} at {body['at']}: {acts:,} of {body['audience']:,} customers", markup=False)
    if body["guards"]:
        page.print(f"not: {_line(body['guards'])}", markup=False)


def _line(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
