"""The progress of an engine that follows a log: a bar on a terminal, a line each tenth elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

TENTHS = 10
REFRESH = 0.1  # seconds


class FollowProgress:
    """Called with the number of records applied so far. Use as a context."""

    def __init__(self, total: int, visible: bool, console: Console) -> None:
        self.total = total
        self.console = console
        self._bars = Progress(
            TextColumn("{task.fields[shown]:<15}"), BarColumn(bar_width=30), TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console, disable=not visible,
        )  # fmt: skip
        self._visible = visible
        self._task = self._bars.add_task("", total=total, shown="engine", rate="")
        self._began = time.perf_counter()
        self._said = 0
        self._shown = 0.0

    def __enter__(self) -> FollowProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, records: int) -> None:
        """Show how far the engine is."""
        now = time.perf_counter()
        rate = records / max(now - self._began, 1e-9)
        if self._visible:
            if now - self._shown >= REFRESH or records == self.total:
                self._bars.update(
                    self._task, completed=records, rate=f"{records:>12,} records {rate:>9,.0f}/s"
                )
                self._shown = now
            return
        tenth = records * TENTHS // self.total
        if tenth > self._said:
            self._said = tenth
            left = (self.total - records) / rate
            line = f"  {tenth * 10:>3} %  {records:>9,}  {rate:>8,.0f}/s  {left:.0f} s left"
            self.console.print(line)
