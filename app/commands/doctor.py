"""``tintype doctor``: what is wrong with a shop's feeds, what it costs, and what mends it."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.output import page, print_json


def doctor(
    shop: ShopFolder,
    retained: Annotated[
        int, typer.Option("--retained", metavar="MB", help="how much log a slot may hold back")
    ] = 1000,
    json: Json = False,
) -> int:
    """Look at connectors, their databases, topics and clocks. Changes nothing.

    Each finding says what is wrong, what it costs, and what mends it. Ends with code 1 if there is one.
    """
    declared = load_shop(shop)
    from app.kafka_address import kafka_address  # brings the clients of Kafka and of databases
    from streams.debezium.doctor.examine import Feeds, examine

    at = kafka_address(shop, declared)
    feeds = [one for one in declared.sources.values() if one.format.type == "debezium" and one.format.table]
    tables = {str(one.format.table): one.name for one in feeds}
    found = examine(
        Feeds(at.files, at.connectors, at.bootstrap, os.environ, tables, retained_limit=retained * 1_000_000)
    )
    if json:
        print_json({"findings": [asdict(one) for one in found]})
    else:
        for one in found:
            page.print(f"[bold]{one.check}[/bold] {one.where}: {one.problem}", soft_wrap=True)
            page.print(f"  costs: {one.cost}", markup=False, soft_wrap=True)
            page.print(f"  mend:  {one.mend}", markup=False, soft_wrap=True)
        page.print(f"{len(at.files)} connectors: {len(found) or 'no'} findings")
    return exits.DIFFERENT if found else exits.OK
