"""Effects as records, for whoever follows a log without committing: timelines and tests."""

from __future__ import annotations

from collections.abc import Callable

from app.replay import Effects
from engine.outcome import Decision, Transition, decisions, transitions
from engine.partition import Partition, RawEffects

Listener = Callable[[list[Transition], list[Decision]], None]


class Collector:
    """Turns raw effects into records; ``listen`` gets transitions and decisions."""

    def __init__(self, listen: Listener) -> None:
        self.listen = listen

    def take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        """Take the effects of one partition."""
        self.listen(transitions(partition, number, raw), decisions(partition, number, raw))


def of_number(effects: Effects, number: int) -> Effects:
    """Return what takes the effects of a replay of one partition as those of the shop's partition."""
    return lambda _, partition, raw: effects(number, partition, raw)
