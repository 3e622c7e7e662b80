"""``tintype results``: what a trigger has brought, against those whom it never reaches."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

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

    It is counted in history, which an embedded shop that runs has for itself: it is said then how to ask its
    API, which answers the same.
    """
    from app.life.results import results_of, written  # they load pandas and scipy
    from sinks.history.connection import OpenElsewhere

    declared = read_folder(shop).shop
    if trigger not in declared.triggers:
        raise InputError(trigger, "there is no such trigger", suggest(trigger, declared.triggers, "trigger"))
    goal, zone = goal_of(declared, trigger), declared.settings.zone
    begin = None if since is None else read_at(since, zone, "--from")
    end = None if until is None else read_at(until, zone, "--to")
    try:
        with _history(shop, declared, cluster) as history:
            found = results_of(history, declared, trigger, begin, end)
    except OpenElsewhere as error:
        raise InputError(error.where, error.problem, _ask_the_api(trigger, begin, end)) from error
    if json:
        print_json({"trigger": trigger, "goal": goal.model_dump(), **written(found),
                    "as_of": write_moment(found.as_of, zone)})  # fmt: skip
    else:
        show_results(declared, trigger, goal, found)
    return exits.OK


def _ask_the_api(trigger: str, begin: int | None, end: int | None) -> str:
    """Return how to ask a running shop the same."""
    asked = {
        name: dt.datetime.fromtimestamp(minute * 60, dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
        for name, minute in (("since", begin), ("until", end)) if minute is not None
    }  # fmt: skip
    path = f"/v1/triggers/{quote(trigger, safe='')}/results" + (f"?{urlencode(asked)}" if asked else "")
    call = f"curl -s 'http://127.0.0.1:8080{path}' -H \"Authorization: Bearer $KEY\""
    return (
        f"ask the running shop, at the address that it said when it began, with a key of scope read: {call}"
    )


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
