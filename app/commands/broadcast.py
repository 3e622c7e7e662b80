"""``tintype broadcast``: one message to an audience on a date: whom it would reach, and how far it is."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.commands.profile import read_at
from app.life.broadcasts import broadcasts, dates_of, stands
from app.life.known import known_here
from app.life.reach import Reach
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.moments import write_moment
from app.output import notes, page, print_json
from app.pages.broadcast import Going, broadcast_table, show_broadcast, show_count
from app.shop import Shop
from rules.suggest import suggest
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.progress import progress_of
from sinks.deliveries.switches import Stopped, pauses
from streams.errors import InputError
from triggers.trigger import Trigger

Action = Literal["list", "show", "count"]


def broadcast(
    shop: ShopFolder,
    action: Annotated[Action, typer.Argument(help="list, show or count")] = "list",
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="a trigger with dates")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="count: as of then; its next date when absent")
    ] = None,
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show broadcasts, the triggers whose schedule names dates; count whom one would reach before it does.

    `count` lets the engine decide as it would at that time if nothing came until then, for every customer: to
    act, or which guard stands against it. It may run beside the shop, and keeps and sends nothing. To stop
    one: tintype switch SHOP trigger/NAME --off; to pause it: --pause, and then --on. In a cluster (--cluster)
    the workers count, what was applied and as of now, and the ledger is as far as the worker that sends.
    """
    if cluster and at is not None:
        hint = "leave --at out, and it is counted as of now"
        raise InputError("--at", "does not go together with --cluster: later cut points are not known", hint)
    declared = load_shop(shop)
    found = broadcasts(declared)
    if action == "list":
        _list(declared, found, _going(shop, declared, found, cluster), json)
        return exits.OK
    if name is None:
        hint = f"write: tintype broadcast SHOP {action} NAME"
        raise InputError("broadcast", f"{action} needs a name", hint)
    if name not in found:
        hint = suggest(name, found, "trigger with dates ('on' of its schedule)")
        raise InputError(name, "there is no such broadcast", hint)
    if action == "show":
        trigger, going = found[name], _going(shop, declared, {name: found[name]}, cluster)[name]
        zone = declared.settings.zone
        if json:
            print_json(_as_json(name, trigger, going, zone))
        else:
            show_broadcast(name, trigger, going, zone)
        return exits.OK
    if cluster:
        _count_there(shop, declared, name, json)
    else:
        _count(shop, declared, name, at, json)
    return exits.OK


def _going(folder: Path, declared: Shop, found: Mapping[str, Trigger], cluster: bool) -> dict[str, Going]:
    """Return how broadcasts stand and how far they are."""
    with _looked_at(folder, declared, cluster) as (off, ledger):
        stopped = Stopped(off, pauses(ledger))
        return {
            name: Going(stands(name, one, stopped), progress_of(ledger, name)) for name, one in found.items()
        }


@contextlib.contextmanager
def _looked_at(
    folder: Path, declared: Shop, cluster: bool
) -> Iterator[tuple[Mapping[str, str], Ledger]]:  # fmt: skip
    """Yield what is switched off, and the ledger."""
    if cluster:
        from app.cluster.deliveries import cluster_ledger  # loads the clients of Kafka
        from app.worker.place import cluster_place
        from sinks.deliveries.listing import off

        with cluster_ledger(cluster_place(folder, declared)) as there:
            yield off(there.seen.connection), there.seen
        return
    with (
        known_here(folder, declared) as known,
        contextlib.closing(Ledger(data_folder(folder, declared))) as ledger,
    ):
        yield known.off, ledger


def _list(declared: Shop, found: Mapping[str, Trigger], going: Mapping[str, Going], json: bool) -> None:
    zone, now = declared.settings.zone, int(time.time() // 60)
    if json:
        print_json({"broadcasts": [_as_json(name, found[name], one, zone) for name, one in going.items()]})
    elif not found:
        page.print("no trigger's schedule names dates ('on')")
    else:
        page.print(broadcast_table(found, going, zone, now))


def _as_json(name: str, trigger: Trigger, going: Going, zone: str) -> dict[str, Any]:
    done = going.progress
    last = None if done.last is None else write_moment(int(done.last // 60), zone)
    dates = [write_moment(one, zone) for one in dates_of(trigger, zone)]
    return {
        "name": name, "title": trigger.title, "at": dates, "stands": going.stands, **asdict(done),
        "last": last,
    }  # fmt: skip


def _count(folder: Path, declared: Shop, name: str, at: str | None, json: bool) -> None:
    from app.life.forecast import forecast

    zone = declared.settings.zone
    with open_log(folder, declared) as log:
        clock = log.clock() or 0
        later = [one for one in dates_of(declared.triggers[name], zone) if one > clock]
        minute = read_at(at, zone) if at is not None else later[0] if later else clock + 1
        made = forecast(log, declared, data_folder(folder, declared), name, minute, notes.print)
    outcomes = Counter(one.outcome for one in made)
    guards = Counter(one.guard for one in made if one.outcome != "act")
    _say(Reach(minute, [], dict(sorted(outcomes.items())), dict(sorted(guards.items()))), name, zone, json)


def _count_there(folder: Path, declared: Shop, name: str, json: bool) -> None:
    """Let the workers of a cluster count."""
    from app.worker.place import cluster_place
    from app.worker.worker import applied_settings
    from console.cluster.owners import Owners
    from console.cluster.reach import reach_there
    from console.problems import Problem
    from sinks.store.questions import Questions
    from sinks.store.store import Store

    place = cluster_place(folder, declared)
    shop = Shop.model_validate_json(applied_settings(place).shop)
    if name not in broadcasts(shop):
        raise InputError(name, "is no broadcast of what was applied last", "tintype apply SHOP applies it")
    with contextlib.closing(place.client()) as client:
        owners = Owners(Store(client, shop.settings.name), Questions(client, shop.settings.name))
        try:
            found = reach_there(owners, shop, name)
        except Problem as problem:
            raise InputError(name, problem.document.detail, problem.document.hint) from None
    _say(found, name, shop.settings.zone, json)


def _say(found: Reach, name: str, zone: str, json: bool) -> None:
    body = {"name": name, "at": write_moment(found.minute, zone), "audience": found.audience,
            "outcomes": found.outcomes, "guards": found.guards}  # fmt: skip
    print_json(body) if json else show_count(body)
