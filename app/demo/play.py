"""The demo from beginning to end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.panel import Panel

from app.demo.grid import Grid, grid_of, grid_table
from app.demo.live import LiveShop, open_live
from app.demo.plain import Plain
from app.demo.plays import plays_of, plays_table
from app.demo.screen import Screen
from app.demo.stop import Stop
from app.demo.tables import segment_table, stacked, story_table, tag_table
from app.demo.tally import Tally
from app.demo.teller import Teller
from app.demo.year import Year
from app.moments import write_moment

ROOT = Path(__file__).resolve().parents[2]
A_DAY = 1440  # minutes that --once plays
Report = dict[str, Any]


def play_year(console: Console, visible: bool, seed: int, language: str | None) -> Report:
    """Play the real shop's year; return the audit's report (`app.inspect.audit_minutes`)."""
    return Year(ROOT / "examples" / "grocer", console, visible, seed, language).play()


def play_live(
    console: Console, data: Path, seed: int, language: str | None, pace: float | None, minutes: int | None
) -> Report:
    """Play the simulated shop; return the audit's report with minutes, changes, decisions and digest.

    pace: simulated minutes a second, on a screen of its own; None: lines, as fast as it goes. minutes: how
    many to play; None: until Ctrl-C.
    """
    began = time.perf_counter()
    with open_live(ROOT / "examples" / "shop", data, seed, language) as live:
        teller = Teller(live.shop, live.name)
        tally, first = Tally(live, teller), grid_of(live.engine)
        _greet(console, live, data, seed, time.perf_counter() - began)
        began = time.perf_counter()
        interrupted = _let_pass(tally, console, pace, minutes)
        if interrupted:
            console.print(teller.words["stopped"])
        return _sum_up(console, tally, first, time.perf_counter() - began)


def _let_pass(tally: Tally, console: Console, pace: float | None, minutes: int | None) -> bool:
    """Play minute after minute; return whether Ctrl-C ended it."""
    with (
        Stop() as stop,
        Plain(tally, console) if pace is None else Screen(tally, console, pace, stop) as show,
    ):
        while not stop.asked and (minutes is None or tally.counts.minutes < minutes):
            began = time.monotonic()
            happened = tally.live.play()
            tally.take(happened)
            show.show(happened, began)
    return stop.asked


def _greet(console: Console, live: LiveShop, data: Path, seed: int, seconds: float) -> None:
    words = Teller(live.shop, live.name).words
    folder = data.relative_to(ROOT) if data.is_relative_to(ROOT) else data
    console.print(f"\n[bold]{words['live_title']}[/bold]")
    console.print(words["live_fresh"].format(folder=folder, seed=seed), soft_wrap=True)
    customers = sum(partition.customers for partition in live.engine.partitions)
    rows = live.imported
    console.print(words["live_history"].format(customers=f"{customers:,}", rows=f"{rows:,}",
                                               seconds=f"{seconds:.1f}"), soft_wrap=True)  # fmt: skip


def _sum_up(console: Console, tally: Tally, first: Grid, seconds: float) -> Report:
    live, words, counts = tally.live, tally.teller.words, tally.counts
    shop, engine = live.shop, live.engine
    console.print(f"\n[bold]{words['summary']}[/bold]")
    console.print(words["played"].format(
        minutes=f"{counts.minutes:,}", changes=f"{counts.changes:,}", gained=counts.gained.total(),
        lost=counts.lost.total(), segments=counts.segments, seconds=f"{seconds:.1f}",
    ), soft_wrap=True)  # fmt: skip
    title = f"RFM: {words['share_moved']}"
    moments = [tally.teller.moment(line.minute) for line in tally.story]
    tables: list[RenderableType] = [
        Panel.fit(grid_table(grid_of(engine), first), title=title, title_align="left", border_style="dim"),
        segment_table(shop, engine, words),
        tag_table(engine, words, counts.gained, counts.lost),
        plays_table(plays_of(tally), words),
    ]
    if tally.story:
        tables.append(story_table(shop, tally.story, words, moments))
    console.print(stacked(*tables))
    console.print()
    report = _audit(console, tally)
    return report | {
        "played": counts.minutes, "changes": counts.changes, "digest": tally.live.digest(),
        "decisions": counts.outcomes.total(), "returned": tally.returned(),
    }  # fmt: skip


def _audit(console: Console, tally: Tally) -> Report:
    live, words = tally.live, tally.teller.words
    moment = write_moment(live.engine.clock, live.shop.settings.zone)
    began = time.perf_counter()
    report = live.audit()
    console.print(words["audit_done"].format(
        minute=moment, compared=f"{report['compared']:,}",
        differences=len(report["differences"]), seconds=f"{time.perf_counter() - began:.1f}",
    ), soft_wrap=True)  # fmt: skip
    console.print(words["digest"].format(digest=tally.live.digest()), soft_wrap=True)
    return report
