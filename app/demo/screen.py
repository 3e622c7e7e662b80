"""The live part on a real terminal: one screen that moves."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from app.demo.grid import grid_of, grid_table
from app.demo.live import Happened
from app.demo.plays import plays_of, plays_table
from app.demo.stop import Stop
from app.demo.tables import story_table
from app.demo.tally import Tally
from app.moments import write_moment

WIDE = 150  # columns from which tags and decisions stand beside the grid
REFRESH = 0.1  # seconds
DWELL = 2.5  # seconds that a moment of the story stands still
GRID_LINES, STORY_LINES = 7, 12


class Screen:
    """Shows what happens, at ``pace`` simulated minutes a second. Use as a context."""

    def __init__(self, tally: Tally, console: Console, pace: float, stop: Stop) -> None:
        self.tally = tally
        self.console = console
        self.pace = pace
        self.stop = stop
        self.words = tally.teller.words
        self.shop = tally.live.shop
        self._first = grid_of(tally.live.engine)
        self._shown = 0.0
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, happened: Happened, began: float) -> None:
        """Draw if it is time to, and wait until the minute that began at ``began`` (monotonic) is over."""
        now = time.monotonic()
        if happened.beats or now - self._shown >= REFRESH:
            self._live.update(self._page(happened.minute), refresh=True)
            self._shown = now
        due = began + (DWELL if happened.beats else 1 / self.pace)
        self.stop.wait(due - time.monotonic())

    def _page(self, minute: int) -> Layout:
        page, height = Layout(), self.console.height
        head, body = Layout(self._head(minute), size=1), Layout()
        page.split_column(head, body)
        if self.console.width >= WIDE:
            left, right = Layout(size=100), Layout()
            body.split_row(left, right)
            room = height - 1
            left.split_column(
                Layout(self._grid(), size=GRID_LINES + 1), Layout(self._story(), size=STORY_LINES + 6),
                Layout(self._plays(room - GRID_LINES - STORY_LINES - 7)),
            )  # fmt: skip
            third = room // 3
            right.split_column(
                Layout(self._panel("moves", self.tally.moves, third - 2), size=third),
                Layout(self._panel("decisions", self.tally.decisions, third - 2), size=third),
                Layout(self._panel("sms", self.tally.sms, room - 2 * third - 2)),
            )
            return page
        room = height - 1 - (GRID_LINES + 1) - (STORY_LINES + 2)
        body.split_column(
            Layout(self._grid(), size=GRID_LINES + 1),
            Layout(self._story(), size=STORY_LINES + 2),
            Layout(self._plays(room // 2), size=room // 2),
            Layout(self._panel("sms", self.tally.sms, room - room // 2 - 2)),
        )
        return page

    def _head(self, minute: int) -> Text:
        words, counts = self.words, self.tally.counts
        moment = write_moment(minute, self.shop.settings.zone)
        parts = (words["pace"].format(pace=self.pace), words["changes"].format(changes=f"{counts.changes:,}"))
        return Text.assemble(
            (f" {self.shop.settings.name}  ", "bold"),
            (f"{words['clock']} {moment}", "bold green"),
            f"   {'   '.join(parts)}",
            (f"   {words['stop']}", "dim"),
        )

    def _grid(self) -> Panel:
        grid = grid_table(grid_of(self.tally.live.engine), self._first)
        title = f"RFM: {self.words['share_moved']}"
        return Panel(grid, title=title, title_align="left", border_style="dim")

    def _story(self) -> Panel:
        """The followed customer: figures at each moment, and what the newest one brought."""
        tally = self.tally
        parts: list[RenderableType] = []
        if tally.story:
            moments = [tally.teller.moment(line.minute) for line in tally.story]
            parts.append(story_table(self.shop, tally.story, self.words, moments))
            parts.append(Text(self.words[tally.story[-1].words], style="bold"))
            came = tally.story[-1].came
            parts += came if self.console.width >= WIDE else _clipped(came)
            if tally.story[-1].words == "story_cancels" and tally.returned():
                parts.append(Text(self.words["story_returned"], style="green"))
        title = f"{self.words['followed']}: {tally.live.her}"
        return Panel(Group(*parts), title=title, title_align="left", border_style="dim")

    def _plays(self, room: int) -> Panel:
        """The triggers with their counts, the busiest first, in so many lines with the frame."""
        table = plays_table(plays_of(self.tally), self.words, max(1, room - 3))
        return Panel(table, title=self.words["plays"], title_align="left", border_style="dim")

    def _panel(self, title: str, lines: Iterable[Text], room: int) -> Panel:
        newest = list(lines)[-max(1, room) :]
        return Panel(
            Group(*_clipped(newest)), title=self.words[title], title_align="left", border_style="dim"
        )


def _clipped(lines: Iterable[Text]) -> list[Text]:
    """Return lines that are cut at the edge instead of wrapped."""
    found = []
    for line in lines:
        whole = line.copy()
        whole.no_wrap, whole.overflow = True, "ellipsis"
        found.append(whole)
    return found
