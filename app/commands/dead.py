"""``tintype dead``: the messages that were put aside: list, show, fix, replay, drop."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.load import load_shop
from app.log_folder import open_log
from app.output import page
from app.pages.letters import check_named, mended_value, show, show_replayed
from app.shop import Shop
from rules.suggest import suggest
from streams.dead.letters import DROPPED, WAITING, counts, letters, mend, set_state
from streams.dead.replay import replay
from streams.errors import InputError

Action = Literal["list", "show", "fix", "replay", "drop"]


def dead(
    shop: ShopFolder,
    action: Annotated[Action, typer.Argument(help="list, show, fix, replay or drop")] = "list",
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="numbers of letters")] = None,
    source: Annotated[str | None, typer.Option("--source", help="only letters of this source")] = None,
    every: Annotated[bool, typer.Option("--all", help="also what was replayed or dropped")] = False,
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="COLUMN=VALUE", help="fix: another value")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="fix: the whole message anew")] = None,
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Read, mend and replay the messages that broke their source's contract.

    `replay` without numbers replays every letter that waits. A replayed message keeps the position it had:
    later changes of its row stay the later ones. Of a cluster (--cluster), messages go back to the topics
    that they came from. Ends with code 1 if a letter still waits after `replay`.
    """
    declared, chosen, changes = load_shop(shop), ids or [], change or []
    check_named(action, chosen)
    if cluster:
        return _of_cluster(shop, declared, action, chosen, source, every, changes, file, json)
    with open_log(shop, declared, write=action in ("fix", "replay", "drop")) as log:
        _check_source(source, declared, {name for name, _ in counts(log)})
        if action in ("list", "show"):
            found = letters(log, source, None if every else WAITING, chosen)
            show(found, action == "show", declared.settings.zone, json)
            return exits.OK
        if action == "fix":
            (letter,) = letters(log, ids=chosen)
            mend(log, letter.id, mended_value(letter, changes, file))
            page.print(f"letter {letter.id} is mended; now: tintype dead SHOP replay {letter.id}")
            return exits.OK
        found = letters(log, source, ids=chosen, limit=2**62)
        if action == "drop":
            _check_chosen(chosen, source)
            with log.transaction():
                for letter in found:
                    set_state(log, letter.id, DROPPED)
            page.print(f"{len(found)} letters dropped; they can still be shown and replayed")
            return exits.OK
        done = replay(log, declared, found, log.clock() or 0, log.last_mode(0) or "import")
        return show_replayed(done, json)


def _check_source(source: str | None, declared: Shop, of_letters: Collection[str]) -> None:
    if source is not None and source not in {*declared.sources, *of_letters}:
        hint = suggest(source, declared.sources, "source")
        raise InputError("--source", f"there is no source '{source}'", hint)


def _check_chosen(ids: list[int], source: str | None) -> None:
    if not ids and source is None:
        raise InputError("dead drop", "no letter is named", "write: tintype dead SHOP drop ID, or --source")


def _of_cluster(
    folder: Path, declared: Shop, action: Action, ids: list[int], source: str | None, every: bool,
    changes: list[str], file: Path | None, json: bool,
) -> int:  # fmt: skip
    from app.cluster.dead import Replaying
    from app.worker.place import cluster_place
    from app.worker.worker import applied_settings
    from streams.dead.topic import TopicLetters
    from streams.shared.index import Index

    place = cluster_place(folder, declared)
    shop = Shop.model_validate_json(applied_settings(place).shop)
    there = TopicLetters(place.bootstrap, place.topics)
    found = there.letters(None if every else WAITING, ids)
    _check_source(source, shop, {one.source for one in found})
    found = [one for one in found if source in (None, one.source)]
    if action in ("list", "show"):
        show(found, action == "show", shop.settings.zone, json)
    elif action == "fix":
        there.mend(found[0], mended_value(found[0], changes, file))
        page.print(f"letter {ids[0]} is mended; now: tintype dead SHOP replay {ids[0]} --cluster")
    elif action == "drop":
        _check_chosen(ids, source)
        there.drop(found)
        page.print(f"{len(found)} letters dropped; they can still be shown and replayed")
    else:
        index = Index(place.client(), shop.settings.name)
        return show_replayed(Replaying(place, shop, there, index).replay(found), json)
    return exits.OK
