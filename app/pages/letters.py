"""Dead letters on the terminal or as JSON, and mended values from what is written there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from app import exits
from app.moments import write_moment
from app.output import page, print_json
from streams.dead.letters import DeadLetter
from streams.dead.mend import with_values
from streams.dead.replay import Replayed
from streams.errors import InputError

SHOWN_BYTES = 4000


def check_named(action: str, ids: Sequence[int]) -> None:
    """Raise InputError where no letter is named to be shown, or not exactly one to be mended."""
    if action == "show" and not ids:
        raise InputError("dead show", "no letter is named", "write: tintype dead SHOP show ID")
    if action == "fix" and len(ids) != 1:
        raise _one_to_mend()


def show(found: Sequence[DeadLetter], closely: bool, zone: str, json: bool) -> None:
    """Print letters: a line each, or closely."""
    if json:
        print_json({"letters": [_document(one) for one in found]})
        return
    if closely:
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


def mended_value(letter: DeadLetter, changes: Sequence[str], file: Path | None) -> bytes:
    """Return another value for a letter: with some columns set (``COLUMN=VALUE``), or a file's. Raises
    InputError."""
    if bool(changes) == (file is not None):
        raise _one_to_mend()
    if file is None:
        return with_values(letter.message.value, dict(map(_pair, changes)), f"dead letter {letter.id}")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(str(file), f"cannot be read ({error.strerror})", "check the path") from None


def _one_to_mend() -> InputError:
    problem = "it mends one letter, by --set or by --file"
    return InputError("dead fix", problem, "write: tintype dead SHOP fix ID --set COLUMN=VALUE")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError("--set", f"'{text}' names no value", "write COLUMN=VALUE")
    return name, value


def show_replayed(done: Sequence[Replayed], json: bool) -> int:
    """Print what became of letters that were replayed; return the exit code: 1 if one still waits."""
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
