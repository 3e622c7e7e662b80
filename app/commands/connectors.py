"""``tintype connectors``: Debezium's connectors from their files, lag, signals and replay."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.moments import parse_moment
from streams.errors import InputError

Action = Literal[
    "list", "show", "check", "apply", "restart", "pause", "resume", "delete", "lag", "signal", "replay"
]
Way = Literal["table", "topic"]


def connectors(
    shop: ShopFolder,
    action: Annotated[Action, typer.Argument(help="what to do")] = "list",
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="connectors")] = None,
    kind: Annotated[
        str, typer.Option("--kind", help="signal: execute, pause, resume or stop (a snapshot)")
    ] = "execute",
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="SCHEMA.TABLE", help="signal: a table of the snapshot"),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", help="signal: only rows of this SQL condition")
    ] = None,
    way: Annotated[Way, typer.Option("--by", help="signal: through the signal table or the topic")] = "table",
    failed: Annotated[bool, typer.Option("--failed", help="restart: only what has failed")] = False,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="lag, replay: this consumer group")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="replay: local time of the shop")
    ] = None,
    json: Json = False,
) -> int:
    """List, check, apply, restart, pause, resume and delete connectors; show lag; send signals; replay.

    The files stand in the folder that tintype.toml names ([kafka] connectors). Ends with code 1 if, after
    list, show or check, a connector does not run as its file says.
    """
    declared = load_shop(shop)
    from app import connector_acts as acts  # these two bring the clients of Kafka and of databases
    from app.kafka_address import kafka_address

    at = kafka_address(shop, declared)
    chosen = acts.chosen(at, action, names or [])
    if action in ("list", "show"):
        return acts.show(at, chosen, action == "show", json)
    if action == "check":
        return acts.check(at, chosen, json)
    if action == "lag":
        return acts.lag(at, chosen, group, json)
    if action == "signal":
        return acts.signal(at, chosen, kind, tables or (), where, way, json)
    if action == "replay":
        if since is None:
            raise InputError("connectors replay", "--from is missing", "write --from '2026-03-01 09:00'")
        return acts.replay(at, chosen, group, parse_moment(since, None, declared.settings.zone), json)
    return acts.act(at, action, chosen, failed, json)
