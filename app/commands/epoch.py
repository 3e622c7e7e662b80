"""``tintype epoch``: a source's positions begin again."""

from __future__ import annotations

from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.log_folder import open_log
from app.output import page, print_json
from streams.errors import InputError
from streams.live import append_epoch


def epoch(
    shop: ShopFolder,
    source: Annotated[str, typer.Argument(help="the source's name")],
    json: Json = False,
) -> int:
    """Say that a source's positions begin again: its connector was made anew, or its database failed over.

    Without it, what the new connector sends looks older than what is known, and is left alone. Do it while
    the connector is stopped, before its first message.
    """
    declared = load_shop(shop)
    if source not in declared.sources:
        known = ", ".join(sorted(declared.sources)) or "none"
        raise InputError(source, "there is no such source", f"the shop's sources are {known}")
    with open_log(shop, declared, write=True) as log:
        number = append_epoch(log, source)
    if json:
        print_json({"source": source, "epoch": number})
    else:
        page.print(f"{source} is in epoch {number} now")
    return exits.OK
