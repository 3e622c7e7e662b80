"""What the live part has seen so far: counts, and the newest lines."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from app.demo.live import Happened, LiveShop
from app.demo.teller import Teller
from engine.outcome import Decision, Transition

KEPT = 60  # lines, more than any screen shows
SCORES = ("r", "f", "m", "segment", "frequency", "monetary")


@dataclass
class Counts:
    """Counts of a stretch of minutes. ``outcomes``: (trigger, outcome, guard) -> how many."""

    minutes: int = 0
    changes: int = 0
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    held_back: int = 0

    def take(self, happened: Happened) -> None:
        self.minutes += 1
        self.changes += len(happened.changes)
        self.segments += sum(one.change == "segment" for one in happened.transitions)
        for counter, change in ((self.gained, "enter"), (self.lost, "leave")):
            counter.update(one.what for one in happened.transitions if one.change == change)
        self.outcomes.update((one.trigger, one.outcome, one.guard) for one in happened.decisions)
        self.held_back += sum(one.message is None for one in happened.deliveries)

    def outcome(self, outcome: str) -> int:
        """Return how many decisions had an outcome."""
        return sum(count for (_, one, _), count in self.outcomes.items() if one == outcome)


@dataclass(frozen=True)
class StoryLine:
    """A moment of the followed customer: the words told, her profile then, and what came of it."""

    minute: int
    words: str
    profile: dict[str, Any]
    came: list[Text]


class Tally:
    """Takes what happens and keeps what is shown of it: whole-run counts, newest lines, the story."""

    def __init__(self, live: LiveShop, teller: Teller) -> None:
        self.live = live
        self.teller = teller
        self.counts = Counts()
        self.moves: deque[Text] = deque(maxlen=KEPT)
        self.decisions: deque[Text] = deque(maxlen=KEPT)
        self.sms: deque[Text] = deque(maxlen=KEPT)
        self.story: list[StoryLine] = []
        self.profile: dict[str, Any] = live.profile()

    def take(self, happened: Happened) -> None:
        """Take one minute in."""
        self.counts.take(happened)
        self.profile = happened.profile
        self.moves.extend(self.teller.transition(one) for one in _tags(happened.transitions))
        self.decisions.extend(line for _, line in self.told(happened))
        self.sms.extend(self.teller.sms(one, happened.minute) for one in happened.sms)
        for beat in happened.beats:
            self.story.append(StoryLine(beat.minute, beat.words, happened.profile, self._hers(happened)))

    def told(self, happened: Happened) -> list[tuple[Decision, Text]]:
        """Return the decisions with their lines."""
        deliveries = {one.queued.decision.id: one for one in happened.deliveries}
        return [(one, self.teller.decision(one, deliveries.get(one.id))) for one in happened.decisions]

    def _hers(self, happened: Happened) -> list[Text]:
        moved = [
            self.teller.transition(one) for one in happened.transitions if one.customer == self.live.her_id
        ]
        return moved + [line for one, line in self.told(happened) if one.customer == self.live.her_id]

    def returned(self) -> bool:
        """Whether her scores and figures after the cancelling are exactly those before the order."""
        said = {line.words: line.profile for line in self.story}
        if "story_browses" not in said or "story_cancels" not in said:
            return False
        before, after = said["story_browses"], said["story_cancels"]
        same_scores = all(
            before["rfm"][model][name] == after["rfm"][model][name]
            for model in before["rfm"]
            for name in SCORES
        )
        return same_scores and set(before["tags"]) == set(after["tags"])


def _tags(transitions: list[Transition]) -> list[Transition]:
    return [one for one in transitions if one.change != "segment"]
