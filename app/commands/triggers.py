"""``tintype triggers``: where each trigger stands in its life, and its next step."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.folder import Folder
from app.gate import refuse_unproven, shadow_in_words
from app.load import read_folder
from app.moments import write_moment
from app.output import notes, page, print_json
from app.pages.triggers import trigger_table
from app.standing import Standing, past_and_off, standings
from app.status_line import write_status
from rules.suggest import suggest
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


def triggers(
    shop: ShopFolder,
    act: Annotated[Act, typer.Argument(metavar="[ACTION]", help="list, or what is to be done")] = Act.LIST,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="the trigger")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; needed where nobody can answer")] = False,
    json: Json = False,
) -> int:
    """Show where each trigger stands, and what it did in shadow; or change the status in a trigger's file.

    shadow, live, pause, draft and archive write the file's status, if docs/triggers.md has such a step; it
    comes into force when the shop starts again, or is applied. It may run beside the shop.
    """
    folder = read_folder(shop)
    if act is not Act.LIST:
        _step(folder, Event(act.value), name, yes, json)
        return exits.OK
    if name is not None:
        _known(folder, name)
    rows = [one for one in standings(shop, folder.shop) if name in (None, one.name)]
    if json:
        print_json({"triggers": [asdict(one) for one in rows]})
    else:
        page.print(trigger_table(rows, folder.shop.settings.zone))
    return exits.OK


def _known(folder: Folder, name: str) -> None:
    if name not in folder.shop.triggers:
        raise InputError(name, "there is no such trigger", suggest(name, folder.shop.triggers, "trigger"))


def _step(folder: Folder, event: Event, name: str | None, yes: bool, json: bool) -> None:
    """Take one step of a trigger's life, in its file."""
    if name is None:
        raise InputError("triggers", "no trigger is named", f"write: tintype triggers SHOP {event} NAME")
    _known(folder, name)
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
