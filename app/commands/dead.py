"""``tintype dead``: the messages that were put aside: list, show, fix, replay, drop."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.log_folder import open_log
from app.moments import write_moment
from app.output import page, print_json
from app.shop import Shop
from rules.suggest import suggest
from streams.dead.letters import DROPPED, WAITING, DeadLetter, counts, letters, mend, set_state
from streams.dead.mend import with_values
from streams.dead.replay import replay
from streams.errors import InputError
from streams.log.log import Log

Action = Literal["list", "show", "fix", "replay", "drop"]
SHOWN_BYTES = 4000


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
    json: Json = False,
) -> int:
    """Read, mend and replay the messages that broke their source's contract.

    `replay` without numbers replays every letter that waits. A replayed message keeps the position it had:
    later changes of its row stay the later ones. Ends with code 1 if a letter still waits after `replay`.
    """
    declared = load_shop(shop)
    chosen = ids or []
    with open_log(shop, declared, write=action in ("fix", "replay", "drop")) as log:
        if source is not None and source not in {*declared.sources, *(name for name, _ in counts(log))}:
            hint = suggest(source, declared.sources, "source")
            raise InputError("--source", f"there is no source '{source}'", hint)
        if action in ("list", "show"):
            _show(log, declared, action, chosen, source, every, json)
            return exits.OK
        if action == "fix":
            return _fix(log, chosen, change or [], file)
        found = letters(log, source, ids=chosen, limit=2**62)
        if action == "drop":
            return _drop(log, found, bool(chosen or source))
        return _replay(log, declared, found, json)


def _show(
    log: Log, shop: Shop, action: str, ids: list[int], source: str | None, every: bool, json: bool
) -> None:
    if action == "show" and not ids:
        raise InputError("dead show", "no letter is named", "write: tintype dead SHOP show ID")
    found = letters(log, source, None if every else WAITING, ids)
    if json:
        print_json({"letters": [_document(one) for one in found]})
        return
    zone = shop.settings.zone
    if action == "show":
        for one in found:
            page.print(f"[bold]{one.id}[/bold]  {one.source}  {one.place}  {write_moment(one.minute, zone)}")
            page.print(f"  {one.state}: {one.problem}: {one.hint}", markup=False)
            for name, body in (("key", one.key), ("message", one.value), ("mended", one.fixed)):
                if body is not None:
                    page.print(f"  {name}: {_text(body)}", markup=False, soft_wrap=True)
        return
    if not found:
        page.print("no dead letters wait")
        return
    table = Table("id", "source", "place", "when", "state", "what and what to do", box=None)
    for one in found:
        when = write_moment(one.minute, zone)
        table.add_row(str(one.id), one.source, one.place, when, one.state, f"{one.problem}: {one.hint}")
    page.print(table)


def _document(letter: DeadLetter) -> dict[str, Any]:
    found = asdict(letter)
    for name in ("key", "value", "fixed"):
        found[name] = None if found[name] is None else found[name].decode(errors="replace")
    return found


def _text(body: bytes) -> str:
    shown = body[:SHOWN_BYTES].decode(errors="replace")
    return shown + (f" ... ({len(body):,} bytes)" if len(body) > SHOWN_BYTES else "")


def _fix(log: Log, ids: list[int], changes: list[str], file: Path | None) -> int:
    if len(ids) != 1 or (not changes and file is None) or (changes and file is not None):
        raise InputError(
            "dead fix", "it mends one letter, by --set or by --file",
            "write: tintype dead SHOP fix ID --set COLUMN=VALUE",
        )  # fmt: skip
    (letter,) = letters(log, ids=ids)
    if file is not None:
        try:
            value = file.read_bytes()
        except OSError as error:
            raise InputError(str(file), f"cannot be read ({error.strerror})", "check the path") from None
    else:
        pairs = dict(_pair(text) for text in changes)
        value = with_values(letter.message.value, pairs, f"dead letter {letter.id}")
    mend(log, letter.id, value)
    page.print(f"letter {letter.id} is mended; now: tintype dead SHOP replay {letter.id}")
    return exits.OK


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError("--set", f"'{text}' names no value", "write COLUMN=VALUE")
    return name, value


def _drop(log: Log, found: list[DeadLetter], chosen: bool) -> int:
    if not chosen:
        raise InputError("dead drop", "no letter is named", "write: tintype dead SHOP drop ID, or --source")
    with log.transaction():
        for letter in found:
            set_state(log, letter.id, DROPPED)
    page.print(f"{len(found)} letters dropped; they can still be shown and replayed")
    return exits.OK


def _replay(log: Log, shop: Shop, found: list[DeadLetter], json: bool) -> int:
    done = replay(log, shop, found, log.clock() or 0, log.last_mode(0) or "import")
    waiting = [one for one in done if one.problem is not None]
    if json:
        print_json({
            "replayed": [one.letter.id for one in done if one.problem is None],
            "waiting": [{"id": w.letter.id, "problem": w.problem, "hint": w.hint} for w in waiting],
        })  # fmt: skip
    else:
        page.print(f"{len(done) - len(waiting)} replayed, {len(waiting)} still wait")
        for one in waiting:
            page.print(f"  {one.letter.id}: {one.problem}: {one.hint}", markup=False)
    return exits.DIFFERENT if waiting else exits.OK
