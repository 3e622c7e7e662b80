"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ShopFolder = Annotated[
    Path,
    typer.Argument(metavar="SHOP", help="the shop's folder, which holds tintype.toml", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="write one JSON document to stdout")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="local time of the shop, such as '2011-06-01 09:00'; now when absent"
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask before a trigger goes live")]
Cluster = Annotated[
    bool, typer.Option("--cluster", help="of the shop's cluster, not of a log in its data folder")
]
