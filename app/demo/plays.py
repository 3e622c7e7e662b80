"""The triggers of the shop as they go: how many were decided, held back and by what, sent, and delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from app.demo.tally import Tally
from sinks.deliveries.life import State
from sinks.deliveries.listing import Wanted, counts


@dataclass
class Play:
    """Counts of one trigger. held_back: guard -> decisions refused; what quiet hours hold comes later."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    held_back: Counter[str] = field(default_factory=Counter)

    @property
    def decided(self) -> int:
        return self.sent + self.held_back.total()


def plays_of(tally: Tally) -> dict[str, Play]:
    """Return the triggers that have decided something, those with the most decisions first."""
    found: dict[str, Play] = {}
    for (trigger, outcome, guard), number in tally.counts.outcomes.items():
        if outcome == "refused":
            found.setdefault(trigger, Play()).held_back[guard] += number
    for one in counts(tally.live.ledger.connection, Wanted()):
        play = found.setdefault(one.trigger, Play())
        if one.state == State.HELD_BACK.value:
            play.held_back["text"] += one.deliveries
            continue
        play.sent += one.deliveries
        play.delivered += one.deliveries if one.state == State.DELIVERED.value else 0
        play.failed += one.deliveries if one.state == State.FAILED.value else 0
    return dict(sorted(found.items(), key=lambda item: (-item[1].decided, item[0])))


def plays_table(plays: Mapping[str, Play], words: Mapping[str, str], most: int | None = None) -> Table:
    """Return the triggers with their counts; most: so many of them at most."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(words["by_trigger"], no_wrap=True)
    for heading in ("decided", "sent", "delivered", "failed"):
        table.add_column(words[heading], justify="right", no_wrap=True, min_width=cell_len(words[heading]))
    table.add_column(words["not_sent"], no_wrap=True, overflow="ellipsis")
    for name, play in list(plays.items())[:most]:
        guards = "  ".join(f"{guard} {number}" for guard, number in play.held_back.most_common())
        table.add_row(
            name, f"{play.decided:,}", _count(play.sent), _count(play.delivered, "green"),
            _count(play.failed, "red"), Text(guards, style="yellow"),
        )  # fmt: skip
    return table


def _count(number: int, style: str = "") -> Text:
    return Text(f"{number:,}", style=style) if number else Text("·", style="dim")
