"""``tintype demo``: a real shop's year, then a simulated shop, live."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from app import exits
from app.commands.options import Json
from app.output import page, print_json
from streams.errors import InputError

PACE = 20.0  # simulated minutes a second: a day in 72 seconds
WIDTH = 110  # columns of lines that go to a file or pipe


def demo(
    once: Annotated[bool, typer.Option("--once", help="play one simulated day, sum up and end")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="write lines, at full speed; so always without a terminal")
    ] = False,
    pace: Annotated[
        float, typer.Option("--pace", min=0.1, max=1000, help="simulated minutes a second on the screen")
    ] = PACE,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the simulated shop")] = 1,
    language: Annotated[
        Literal["en", "zh"] | None, typer.Option("--language", help="of the words; the shops' own if absent")
    ] = None,
    skip_year: Annotated[bool, typer.Option("--skip-year", help="begin with the simulated shop")] = False,
    json: Json = False,
) -> int:
    """Show the engine at work: a real grocer's year, then a simulated shop that goes on live.

    Runs until Ctrl-C, or with --once until a simulated day is over. Writes to .data only. Ends with code 1 if
    an audit finds a difference. With --json (and --once) the lines go to stderr, the audits to stdout.
    """
    from app.demo.play import A_DAY, ROOT, play_live, play_year
    from app.demo.words import words

    if json and not once:
        raise InputError("--json", "needs an end to write at", "add --once")
    on_screen = page.is_terminal and not plain and not json
    console = page if page.is_terminal and not json else Console(width=WIDTH, highlight=False, stderr=json)
    reports: dict[str, dict[str, Any]] = {}
    try:
        if not skip_year:
            reports["year"] = play_year(console, on_screen, seed, language)
        data, minutes = ROOT / ".data" / "demo", A_DAY if once else None
        reports["live"] = play_live(console, data, seed, language, pace if on_screen else None, minutes)
    except KeyboardInterrupt:
        # Outside the live part, which hears Ctrl-C itself: what was not committed is simply not there.
        console.print(words(language or "en")["stopped"])
    if json:
        print_json(reports)
    return exits.DIFFERENT if any(one["differences"] for one in reports.values()) else exits.OK
