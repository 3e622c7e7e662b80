"""Pages of ``tintype deliveries``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from app.moments import write_moment
from app.output import page
from app.pages.tables import folding_table
from sinks.deliveries.listing import Act, Attempt, Count, Listed

_DAY_MINUTES = 1440
_STYLES = {"unknown": "magenta", "failed": "red", "expired": "yellow", "held back": "yellow",
           "delivered": "green", "sent": "green"}  # fmt: skip


def delivery_table(rows: Sequence[Listed], zone: str) -> Table:
    """Return a table of deliveries."""
    table = folding_table("decided", "id", "trigger", "channel", "state", "attempts", "reason")
    for one in rows:
        state = f"[{_STYLES[one.state]}]{one.state}[/]" if one.state in _STYLES else one.state
        when = write_moment(int(one.decided // 60), zone)
        table.add_row(when, one.id, one.trigger, one.channel, state, str(one.attempts), escape(one.reason))
    return table


def count_table(rows: Sequence[Count], currency: str) -> Table:
    """Return a table of counts. currency: of the shop, may be empty."""
    costs = f"cost {currency}".strip()
    table = folding_table(
        "day (UTC)", "trigger", "channel", "state", "deliveries", "parts", costs, "clicked", "replied",
        "unsubscribed",
    )  # fmt: skip
    for one in rows:
        day = write_moment(one.day * _DAY_MINUTES, "UTC")[:10]
        rest = (f"{number:,}" for number in (one.clicked, one.replied, one.unsubscribed))
        cost = "-" if one.cost is None else one.cost
        table.add_row(
            day, one.trigger, one.channel, one.state, f"{one.deliveries:,}", f"{one.parts:,}", cost, *rest
        )
    return table


def provider_table(rows: Sequence[Mapping[str, Any]], zone: str) -> Table:
    """Return a table of how providers stand (`sinks.deliveries.dispatch.Dispatcher.health`)."""
    table = folding_table("provider", "state", "reason", "tried again", "sending")
    for one in rows:
        style = "green" if one["state"] == "closed" else "yellow"
        until = "" if one["until"] is None else write_moment(int(one["until"] // 60), zone)
        table.add_row(one["provider"], f"[{style}]{one['state']}[/]", escape(one["reason"]), until,
                      str(one["sending"]))  # fmt: skip
    return table


def show_life(one: Listed, attempts: Sequence[Attempt], acts: Sequence[Act], zone: str) -> None:
    """Print a delivery's whole life."""
    page.print(delivery_table([one], zone))
    page.print(f"{one.purpose}, template {one.template or '-'}; customer {one.customer}; "
               f"too late from {write_moment(int(one.expires // 60), zone)} on")  # fmt: skip
    if one.clicked is not None:
        first = write_moment(int(one.clicked // 60), zone)
        page.print(f"link followed first {first}, {one.clicks:,} times in all")
    if one.replied is not None:
        first = write_moment(int(one.replied // 60), zone)
        wants = ", and wants no more messages" if one.unsubscribed else ""
        page.print(f"answered first {first}, {one.replies:,} times in all{wants}")
    table = folding_table(
        "attempt", "provider", "claimed", "outcome", "reference", "code", "reason", "receipt"
    )
    for each in attempts:
        table.add_row(
            str(each.attempt), each.provider, write_moment(int(each.claimed // 60), zone), each.outcome,
            each.reference or "", each.code, escape(each.reason), each.receipt or "",
        )  # fmt: skip
    page.print(table)
    for act in acts:
        page.print(f"{write_moment(int(act.at // 60), zone)} by hand: {act.act}: {act.reason}", markup=False)
