"""``tintype bench``: the figures of the README, each against its peer or limit in the same run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.table import Table

from app import exits
from app.commands.options import Json
from app.output import page, print_json


def bench(
    what: Annotated[Literal["engine", "feed"], typer.Argument(help="which figures")] = "engine",
    json: Json = False,
) -> int:
    """Measure the figures of the README on this machine, each against its peer or limit in the same run.

    engine: the kernel. feed: from change messages to decisions, against msgspec, Bytewax, pandas, Java and
    Flink; what bench/peers/install.sh has not installed is reported as not run.

    --json prints a list of {what, value, unit, against, ratio, goal, reached}. Ends with code 1 if a goal
    is not reached.
    """
    from bench import engine, feed

    rows = (engine if what == "engine" else feed).measure()
    if json:
        print_json(rows)
    else:
        table = Table("what", "value", "unit", "against", "ratio", "goal", "reached", box=None)
        for row in rows:
            table.add_row(
                *(_cell(row[name]) for name in ("what", "value", "unit", "against", "ratio", "goal")),
                "yes" if row["reached"] else "no" if row["reached"] is False else "",
            )
        page.print(table)
    return exits.DIFFERENT if any(row["reached"] is False for row in rows) else exits.OK


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
