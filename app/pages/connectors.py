"""Connectors as a person reads them."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from app.output import page


def one_connector(one: dict[str, Any]) -> None:
    """Print all that is known of one connector."""
    page.print(
        f"[bold]{one['name']}[/bold]  {one['state']}  tasks: {', '.join(one['tasks']) or 'none'}  {one['is']}"
    )
    for failure in one["failures"]:
        page.print(f"  failed: {failure}", markup=False, soft_wrap=True)
    for changed in one["differences"]:
        here, there = changed["file"] or "nothing", changed["running"] or "nothing"
        page.print(f"  {changed['key']}: the file says {here}, {there} runs", markup=False, soft_wrap=True)
    beat = one.get("heartbeat_age_s")
    page.print(f"  last heartbeat: {'none' if beat is None else f'{beat:.0f} s ago'}")
    for offset in one.get("offsets", []):
        page.print(f"  offset: {offset}", markup=False, soft_wrap=True)
    for told in one.get("notifications", []):
        page.print(f"  {told['subject']}: {told['kind']}", markup=False)


def lag_table(documents: list[dict[str, Any]]) -> None:
    """Print how far connectors are behind their databases, and groups behind the connectors."""
    table = Table("connector", "who", "topic or position", "partition", "behind", "seconds", box=None)
    for one in documents:
        source = one["source"]
        behind = "" if source["behind_bytes"] is None else f"{source['behind_bytes']:,} bytes"
        table.add_row(
            one["name"], "connector", source["at"] or "none yet", "", behind, _seconds(source["age_s"])
        )
        for group in one["groups"]:
            rows, seconds = f"{group['rows']:,} rows", _seconds(group["seconds"])
            table.add_row("", group["group"], group["topic"], str(group["partition"]), rows, seconds)
    page.print(table)


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
