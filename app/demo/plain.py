"""The live part as lines, without a terminal: the story in full, the rest by the hour."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from app.demo.live import Happened
from app.demo.tables import story_table
from app.demo.tally import Counts, StoryLine, Tally
from engine.outcome import Transition

EXAMPLES, TEXTS = 2, 4  # tags and decisions shown of each hour; texts as the SMSC has them


class Plain:
    """Writes lines to a console, at full speed. Use as a context."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self.tally = tally
        self.console = console
        self.words = tally.teller.words
        self.shop = tally.live.shop
        self._hour = Counts()
        self._moves: dict[tuple[str, str], list[Transition]] = {}
        self._decisions: dict[tuple[str, str], Text] = {}  # the first of each kind within the hour
        self._sms: list[Text] = []

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def show(self, happened: Happened, began: float) -> None:
        """Write the moments of the story as they come, and a few lines at each full hour."""
        del began
        self._hour.take(happened)
        for moved in happened.transitions:
            if moved.change != "segment":
                self._moves.setdefault((moved.what, moved.change), []).append(moved)
        for one, line in self.tally.told(happened):
            self._decisions.setdefault((one.trigger, one.guard), line)
        self._sms += [self.tally.teller.sms(one, happened.minute) for one in happened.sms]
        for moment_told in self.tally.story[len(self.tally.story) - len(happened.beats) :]:
            self._tell(moment_told)
        moment = self.tally.teller.moment(happened.minute)
        if moment.endswith(":00"):
            self._close_hour(moment)

    def _tell(self, line: StoryLine) -> None:
        moment = self.tally.teller.moment(line.minute)
        self._write(Text.assemble((f"{moment}  ", "dim"), (self.words[line.words], "bold")))
        for one in line.came:
            self._write(Text("    ") + one)
        self.console.print(story_table(self.shop, [line], self.words, ["    "]))
        if line.words == "story_cancels" and self.tally.returned():
            told = Padding(Text(self.words["story_returned"], style="green"), (0, 0, 0, 4))
            self.console.print(told)

    def _close_hour(self, moment: str) -> None:
        hour = self._hour
        said = self.words["hour"].format(
            changes=hour.changes, gained=hour.gained.total(), lost=hour.lost.total(),
            sent=hour.outcome("act") - hour.held_back, refused=hour.outcome("refused"),
        )  # fmt: skip
        self._write(Text.assemble((f"{moment}  ", "dim"), said))
        rarest = sorted(self._moves.values(), key=len)[:EXAMPLES]
        moves = [self.tally.teller.transition(moved[0]) for moved in rarest]
        refused = [line for (_, guard), line in self._decisions.items() if guard]
        for line in [*moves, *refused[:EXAMPLES]]:
            self._write(Text("    ") + line)
        for line in self._sms[:TEXTS]:
            self._write(Text.assemble("    SMS ", line))
        self._hour, self._moves, self._decisions, self._sms = Counts(), {}, {}, []

    def _write(self, line: Text) -> None:
        self.console.print(line, soft_wrap=True)
