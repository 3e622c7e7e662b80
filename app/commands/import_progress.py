"""The progress of an import on the terminal: bar, rate, time left."""

from __future__ import annotations

from types import TracebackType

from rich.progress import (
    BarColumn,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from app.output import notes
from streams.report import Phase, Progress

WORDS: dict[Phase, str] = {
    "read": "read files",
    "check": "check rows",
    "place": "find customers",
    "write": "write log",
}


class _Rate(ProgressColumn):
    """Rows done and rows a second."""

    def render(self, task: Task) -> Text:
        rows: int = task.fields["rows"]
        seconds = task.finished_time if task.finished_time is not None else task.elapsed
        rate = f"{rows / seconds:,.0f}/s" if seconds else ""
        return Text(f"{rows:>12,} rows {rate:>12}", style="dim")


class ImportProgress:
    """Called by the import with how far it is; shows one line for each phase.

    Nothing is shown where stderr is no terminal, so that logs stay readable.
    """

    def __init__(self, visible: bool) -> None:
        columns = (
            TextColumn("{task.description:<15}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        self._bars = Bars(*columns, console=notes, disable=not (visible and notes.is_terminal))
        self._tasks: dict[Phase, TaskID] = {}
        self._rows = 0  # that the last phases have to do

    def __enter__(self) -> ImportProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, state: Progress) -> None:
        """Show how far the import is."""
        if state.phase not in self._tasks:
            for earlier, task in self._tasks.items():
                if earlier != "read" or state.phase in ("place", "write"):
                    self._finish(task)
            self._tasks[state.phase] = self._bars.add_task(WORDS[state.phase], total=None, rows=0)
        task = self._tasks[state.phase]
        if state.phase == "place":
            self._rows = max(self._rows, state.rows)
        in_bytes = state.phase == "read"
        done = state.done_bytes if in_bytes else state.rows
        total = (
            state.total_bytes if in_bytes else self._rows if state.phase == "write" else state.rows or None
        )
        self._bars.update(task, completed=done, total=total, rows=state.rows)

    def _finish(self, task: TaskID) -> None:
        known = self._bars.tasks[task]
        self._bars.update(task, total=known.completed, completed=known.completed)
