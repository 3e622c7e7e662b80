"""``tintype broadcast``: one message to an audience on a date: whom it would reach, and how far it is."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.commands.profile import read_at
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.moments import write_moment
from app.output import notes, page, print_json
from app.pages.broadcast import broadcast_table, show_broadcast, show_count
from app.shop import Shop
from rules.suggest import suggest
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.progress import Progress, progress_of
from streams.errors import InputError
from triggers.schedule import last_due
from triggers.trigger import Schedule, Trigger

Action = Literal["list", "show", "count"]
_YEARS = 200 * 366 * 1440  # minutes: behind every date


def broadcast(
    shop: ShopFolder,
    action: Annotated[Action, typer.Argument(help="list, show or count")] = "list",
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="a trigger with dates")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="count: as of then; its next date when absent")
    ] = None,
    json: Json = False,
) -> int:
    """Show broadcasts, the triggers whose schedule names dates; count whom one would reach before it does.

    `count` lets the engine decide as it would at that time if nothing came until then, for every customer: to
    act, or which guard stands against it. It may run beside the shop, and keeps and sends nothing. To stop
    one: tintype switch SHOP trigger/NAME --off.
    """
    declared = load_shop(shop)
    found = {one: trigger for one, trigger in declared.triggers.items() if _dates(trigger)}
    if action == "list":
        with contextlib.closing(Ledger(data_folder(shop, declared))) as ledger:
            rows = {one: progress_of(ledger, one) for one in found}
        _list(declared, found, rows, json)
        return exits.OK
    if name is None:
        hint = f"write: tintype broadcast SHOP {action} NAME"
        raise InputError("broadcast", f"{action} needs a name", hint)
    if name not in found:
        hint = suggest(name, found, "trigger with dates ('on' of its schedule)")
        raise InputError(name, "there is no such broadcast", hint)
    if action == "show":
        with contextlib.closing(Ledger(data_folder(shop, declared))) as ledger:
            done = progress_of(ledger, name)
        print_json({"name": name, **asdict(done)}) if json else show_broadcast(name, done)
        return exits.OK
    _count(shop, declared, name, at, json)
    return exits.OK


def _dates(trigger: Trigger) -> list[str]:
    return trigger.when.schedule.on if trigger.when.schedule else []


def _times(trigger: Trigger, zone: str) -> list[int]:
    """Return the epoch minutes at which a broadcast falls due, in order."""
    schedule = trigger.when.schedule
    assert schedule is not None
    each = (schedule.model_copy(update={"on": [day]}) for day in schedule.on)
    return sorted({_minute(one, zone) for one in each})


def _minute(schedule: Schedule, zone: str) -> int:
    day = read_at(f"{schedule.on[0]} 00:00", zone)
    return last_due(schedule, zone, day - 1, day + 2 * 1440)


def _list(declared: Shop, found: Mapping[str, Trigger], rows: Mapping[str, Progress], json: bool) -> None:
    zone, now = declared.settings.zone, int(time.time() // 60)
    times = {name: _times(trigger, zone) for name, trigger in found.items()}
    if json:
        shown = [
            {"name": name, "title": found[name].title, "at": [write_moment(one, zone) for one in times[name]],
             **asdict(done)}
            for name, done in rows.items()
        ]  # fmt: skip
        print_json({"broadcasts": shown})
    elif not found:
        page.print("no trigger's schedule names dates ('on')")
    else:
        page.print(broadcast_table(found, times, rows, zone, now))


def _count(folder: Path, declared: Shop, name: str, at: str | None, json: bool) -> None:
    from app.life.forecast import forecast

    zone = declared.settings.zone
    with open_log(folder, declared) as log:
        clock = log.clock() or 0
        later = [one for one in _times(declared.triggers[name], zone) if one > clock]
        minute = read_at(at, zone) if at is not None else later[0] if later else clock + 1
        made = forecast(log, declared, data_folder(folder, declared), name, minute, notes.print)
    outcomes = Counter(one.outcome for one in made)
    guards = Counter(one.guard for one in made if one.outcome != "act")
    body = {"name": name, "at": write_moment(minute, zone), "audience": len(made),
            "outcomes": dict(sorted(outcomes.items())), "guards": dict(sorted(guards.items()))}  # fmt: skip
    print_json(body) if json else show_count(body)
