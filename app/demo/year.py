"""A real shop's year through the engine: import, follow the log, look, and audit a random minute."""

from __future__ import annotations

import importlib.util
import os
import random
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.panel import Panel

from app.commands.import_progress import ImportProgress
from app.demo.follow_progress import FollowProgress
from app.demo.grid import grid_of, grid_table
from app.demo.tables import money, segment_table, stacked, tag_table
from app.demo.words import words
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.moments import write_moment
from app.runtime import Runtime, keep_settings, open_shop
from streams.errors import InputError
from streams.intake import import_files
from streams.log.log import FILE_NAME, Log


class Year:
    """The grocer's year, told on a console."""

    def __init__(
        self, folder: Path, console: Console, visible: bool, seed: int, language: str | None
    ) -> None:
        self.folder = folder
        self.console = console
        self.visible = visible
        self.random = random.Random(seed)  # noqa: S311 - chooses a minute to look at, no secret
        self.shop = load_shop(folder)
        self.words = words(language or self.shop.settings.language)

    def say(self, text: str, **values: object) -> None:
        self.console.print(self.words[text].format(**values), soft_wrap=True)

    def play(self) -> dict[str, Any]:
        """Play the year; return the audit's report (`app.inspect.audit_minutes`).

        A year that was played and audited before begins from its snapshot, and is only looked at.
        """
        self.console.print(f"\n[bold]{self.words['year_title']}[/bold]")
        self._import()
        with open_shop(self.folder) as runtime:
            moment = self._follow(runtime)
            self._look(runtime)
            return {"differences": []} if moment is None else self._audit(runtime, *moment)

    def _import(self) -> None:
        """Fill the log, unless it is there: an import is one transaction, so it is whole or not there.

        Raises InputError where the log was begun without the year: what is imported must not lie behind its
        clock.
        """
        data = data_folder(self.folder, self.shop)
        if (data / FILE_NAME).exists():
            with open_log(self.folder, self.shop) as log:
                if log.clock():
                    if not _has_rows(log):
                        hint = f"remove {os.path.relpath(data)} and begin the demo again"
                        raise InputError(str(self.folder), "was run before the year was imported", hint)
                    self.say("year_known", rows=f"{sum(log.next_steps()):,}")
                    return
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data) as made:
            self.say("year_files")
            _preparation(self.folder).prepare(Path(made))
            pairs = [(path.stem, path) for path in sorted(Path(made).glob("*.parquet"))]
            self.say("year_import", files=len(pairs))
            with (
                ImportProgress(self.visible) as progress,
                open_log(self.folder, self.shop, write=True) as log,
            ):
                keep_settings(log, self.shop)
                report = import_files(log, self.shop, pairs, progress)
        self.say("year_imported", rows=f"{report.rows:,}", seconds=f"{report.seconds:.1f}",
                 rate=f"{report.rows / report.seconds:,.0f}", rejected=report.rejected)  # fmt: skip

    def _follow(self, runtime: Runtime) -> tuple[int, Mapping[str, Any]] | None:
        """Let the engine follow the log, stopping at a random minute to note what it holds there.

        None where a snapshot has it all.
        """
        before, total = sum(runtime.engine.steps), sum(runtime.log.next_steps())
        if before == total:
            self.say("year_snapshot")
            return None
        self.say("year_follow")
        began = time.perf_counter()
        first, last = _stretch(runtime.log)
        begin = max(first, min(runtime.engine.clock + 1, last))
        minute = self.random.randrange(begin, max(last, begin + 1))
        with FollowProgress(total - before, self.visible, self.console) as progress:
            runtime.catch_up(progress, until=minute)
            held = runtime.held()
            minute = runtime.engine.clock
            runtime.catch_up(progress)
        runtime.save_snapshot()
        seconds = time.perf_counter() - began
        rate, changes = f"{(total - before) / seconds:,.0f}", f"{runtime.effects:,}"
        self.say("year_followed", rows=f"{total - before:,}", seconds=f"{seconds:.1f}", rate=rate,
                 changes=changes)  # fmt: skip
        return minute, held

    def _look(self, runtime: Runtime) -> None:
        engine, shop = runtime.engine, self.shop
        grid = grid_of(engine)
        customers = sum(partition.customers for partition in engine.partitions)
        self.console.print()
        self.say("scored", inside=f"{grid.customers.sum():,}", all=f"{customers:,}",
                 money=money(shop, int(grid.money.sum())))  # fmt: skip
        title = f"RFM: {self.words['share']}"
        self.console.print(Panel.fit(grid_table(grid), title=title, title_align="left", border_style="dim"))
        self.console.print(stacked(segment_table(shop, engine, self.words), tag_table(engine, self.words)))

    def _audit(self, runtime: Runtime, minute: int, held: Mapping[str, Any]) -> dict[str, Any]:
        moment = write_moment(minute, self.shop.settings.zone)
        self.console.print()
        self.say("audit_doing", minute=moment)
        began = time.perf_counter()
        report = runtime.audit_held(minute, held)
        self.say("audit_done", minute=moment, compared=f"{report['compared']:,}",
                 differences=len(report["differences"]),
                 seconds=f"{time.perf_counter() - began:.1f}")  # fmt: skip
        return report


def _stretch(log: Log) -> tuple[int, int]:
    """Return the first row's minute and the last one's."""
    firsts = [
        block.first_minute for p in range(log.partitions) for block in log.blocks(p) if block.first_minute
    ]
    return min(firsts), log.clock() or 0


def _has_rows(log: Log) -> bool:
    """Tell whether a source's rows are there, beside the control records that every log begins with."""
    held = (held for p in range(log.partitions) for _, _, held in log.holdings(p))
    return any(not name.startswith("!") for names in held for name in names)


def _preparation(folder: Path) -> ModuleType:
    """Load the shop's prepare.py, which makes its files from the published package."""
    path = folder / "prepare.py"
    spec = importlib.util.spec_from_file_location("prepare", path)
    if spec is None or spec.loader is None:
        raise InputError(str(path), "cannot be loaded", "restore it from the repository")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise InputError(str(path), f"needs the package {error.name}", "run make setup") from None
    return module
