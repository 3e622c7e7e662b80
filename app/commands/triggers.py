"""``tintype triggers``: where each trigger stands in its life, and its next step."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.documents.status_line import write_status
from app.folder import Folder
from app.life.forecast_of import suggest_forecast
from app.life.gate import refuse_unproven, shadow_in_words
from app.life.standing import Standing, past_and_off, standings
from app.load import read_folder
from app.moments import write_moment
from app.output import notes, page, print_json
from app.pages.triggers import show_triggers
from profiles.windows import parse_length
from rules.suggest import suggest
from sinks.deliveries.forecast import KEPT
from streams.errors import InputError
from triggers.life import Event, Impossible, State, after


class Act(StrEnum):
    """What can be done."""

    LIST = "list"
    SHADOW = "shadow"
    LIVE = "live"
    PAUSE = "pause"
    DRAFT = "draft"
    ARCHIVE = "archive"
    FORECAST = "forecast"


def triggers(
    shop: ShopFolder,
    act: Annotated[Act, typer.Argument(metavar="[ACTION]", help="list, or what is to be done")] = Act.LIST,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="the trigger")] = None,
    within: Annotated[str, typer.Option("--within", help="of forecast: a length, of 7d at most")] = "1h",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; needed where nobody can answer")] = False,
    json: Json = False,
) -> int:
    """Show where each trigger stands, and what it did in shadow; or change the status in a trigger's file.

    shadow, live, pause, draft and archive write the file's status, if docs/triggers.md has such a step; it
    comes into force when the shop starts again, or is applied. forecast says what guards.forecast of a
    trigger could be. It may run beside the shop.
    """
    folder = read_folder(shop)
    if act is Act.FORECAST:
        _forecast(folder, name, within, json)
        return exits.OK
    if act is not Act.LIST:
        _step(folder, Event(act.value), name, yes, json)
        return exits.OK
    if name is not None:
        _known(folder, name)
    rows = [one for one in standings(shop, folder.shop) if name in (None, one.name)]
    if json:
        print_json({"triggers": [_as_json(one) for one in rows]})
    else:
        show_triggers(rows, folder.shop.settings.zone)
    return exits.OK


def _as_json(one: Standing) -> dict[str, Any]:
    return {**asdict(one), "forecast": None if one.forecast is None else one.forecast.model_dump()}


def _known(folder: Folder, name: str) -> None:
    if name not in folder.shop.triggers:
        raise InputError(name, "there is no such trigger", suggest(name, folder.shop.triggers, "trigger"))


def _named(folder: Folder, act: str, name: str | None) -> str:
    if name is None:
        raise InputError("triggers", "no trigger is named", f"write: tintype triggers SHOP {act} NAME")
    _known(folder, name)
    return name


def _forecast(folder: Folder, named: str | None, within: str, json: bool) -> None:
    """Say what a trigger's forecast could be."""
    name = _named(folder, Act.FORECAST, named)
    try:
        span = parse_length(within)
    except ValueError as error:
        raise InputError("--within", str(error).partition("; ")[0], "write a length, such as 1h") from None
    if span > KEPT:
        raise InputError("--within", f"'{within}' is longer than a week", "write 7d, or a shorter length")
    found = suggest_forecast(folder.path, folder.shop, name, within)
    if json:
        print_json({"trigger": name, **asdict(found)})
        return
    if not found.acts:
        page.print(f"{name} has not acted yet, not in shadow either: let it run there first", markup=False)
        return
    ended = write_moment(found.ended, folder.shop.settings.zone)
    line = f"forecast: {{most: {found.most}, within: {within}}}"
    page.print(
        f"{name} acted {found.acts:,} times, {found.busiest:,} of them within {within} until {ended}. Three "
        f"times as many, in triggers/{name}.yaml:\n\nguards:\n  {line}",
        markup=False, soft_wrap=True,
    )  # fmt: skip


def _step(folder: Folder, event: Event, named: str | None, yes: bool, json: bool) -> None:
    """Take one step of a trigger's life, in its file."""
    name = _named(folder, event, named)
    label, before = f"triggers/{name}.yaml", State(folder.shop.triggers[name].status)
    try:
        behind = after(before, event)
    except Impossible as error:
        hint = "docs/triggers.md has the steps"
        raise InputError(folder.where(label, "status"), str(error), hint) from None
    if behind is State.LIVE:
        _confirm(folder, name, yes)
    write_status(folder.path / label, label, behind.value)
    if json:
        print_json({"trigger": name, "before": before.value, "status": behind.value})
    else:
        page.print(
            f"{name}: {before} -> {behind}, in {label}; it comes into force when the shop starts again, or "
            "is applied", markup=False, soft_wrap=True,
        )  # fmt: skip


def _confirm(folder: Folder, name: str, yes: bool) -> None:
    """Show what a trigger did in shadow, and ask. Raises ConfigError where it has not run there."""
    live = folder.shop.triggers[name].model_copy(update={"status": State.LIVE.value})
    shop = folder.shop.model_copy(update={"triggers": {name: live}})
    if not shop.settings.triggers.shadow_first:
        return
    past, _ = past_and_off(folder.path, shop)
    refuse_unproven(past, shop, folder.where)
    (one,) = standings(folder.path, shop)
    notes.print(_said(one, shop.settings.zone), markup=False, soft_wrap=True)
    if not yes and not typer.confirm(f"Let {name} go live?", err=True):
        raise InputError(name, "not live, nothing was changed", "confirm it, or write --yes")


def _said(one: Standing, zone: str) -> str:
    if one.shadow_since is None:
        return f"{one.name} was live before, as it is"
    since = write_moment(one.shadow_since, zone) if one.shadow_since else "the beginning"
    return f"{one.name}: in shadow since {since} it {shadow_in_words(one.shadow)}"
