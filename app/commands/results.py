"""``tintype results``: what a trigger has brought, against those whom it never reaches."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.commands.profile import read_at
from app.history_folder import open_history
from app.life.goal import goal_of
from app.load import read_folder
from app.log_folder import open_log
from app.moments import write_moment
from app.output import print_json
from app.pages.results import show_results
from app.shop import Shop
from rules.suggest import suggest
from streams.errors import InputError

if TYPE_CHECKING:
    from sinks.history.history import History


def results(
    shop: ShopFolder,
    trigger: Annotated[str, typer.Argument(metavar="TRIGGER", help="a trigger with a goal")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="only its decisions from then on")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="only its decisions before then")
    ] = None,
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show what a trigger has brought: how many reached its goal, of those whom hold-out lets pass and of
    those whom it never reaches, what that was worth, and how sure the difference is.

    It is counted in history. While an embedded shop runs, ask it: GET /v1/triggers/TRIGGER/results.
    """
    from app.life.results import results_of, written  # they load pandas and scipy

    declared = read_folder(shop).shop
    if trigger not in declared.triggers:
        raise InputError(trigger, "there is no such trigger", suggest(trigger, declared.triggers, "trigger"))
    goal, zone = goal_of(declared, trigger), declared.settings.zone
    begin = None if since is None else read_at(since, zone, "--from")
    end = None if until is None else read_at(until, zone, "--to")
    with _history(shop, declared, cluster) as history:
        found = results_of(history, declared, trigger, begin, end)
    if json:
        print_json({"trigger": trigger, "goal": goal.model_dump(), **written(found),
                    "as_of": write_moment(found.as_of, zone)})  # fmt: skip
    else:
        show_results(declared, trigger, goal, found)
    return exits.OK


@contextlib.contextmanager
def _history(folder: Path, shop: Shop, cluster: bool) -> Iterator[History]:
    if cluster:
        from app.clickhouse_address import clickhouse_address
        from sinks.history.server import ServerHistory

        with contextlib.closing(ServerHistory(clickhouse_address(shop), shop.settings.zone)) as server:
            yield server
        return
    with open_log(folder, shop) as log, open_history(folder, shop, log) as embedded:
        yield embedded
