"""How many a broadcast would reach now, and whom each guard spares: what is asked and answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from app.shop import Shop
from streams.errors import InputError
from triggers.life import in_force

SECONDS = 8.0  # to wait in a cluster: an answer to a question is kept for ten (`sinks.store.questions`)


@dataclass(frozen=True)
class Reach:
    """Decisions that would be made, each of a customer of the audience. minute: at which, the earliest of
    several; steps: records applied, one number a partition; guards: of those not to act, by guard.
    """

    minute: int
    steps: list[int]
    outcomes: dict[str, int] = field(default_factory=dict)
    guards: dict[str, int] = field(default_factory=dict)

    @property
    def audience(self) -> int:
        """For how many customers the rule is true."""
        return sum(self.outcomes.values())


@dataclass(frozen=True)
class AskedReach:
    """What the owner of a partition is asked. settings: the hash of those by which the trigger is named."""

    settings: str
    trigger: str


@dataclass(frozen=True)
class AnsweredReach:
    """What it says. epoch: as of `app.explained.Answer`; found: None where other settings are in force."""

    epoch: int
    found: Reach | None


def check_counts(shop: Shop, name: str) -> None:
    """Return where an engine under these settings knows a trigger of theirs. Raises InputError."""
    if name not in in_force(shop.triggers):
        problem = f"has the status '{shop.triggers[name].status}', so that no engine knows its audience"
        hint = "write 'status: shadow', which sends nothing, and let it come into force"
        raise InputError(f"triggers/{name}.yaml", problem, hint)


def read_reach(answer: bytes) -> Reach:
    """Return what a child has counted."""
    return msgspec.json.decode(answer, type=Reach)


def summed(parts: Sequence[Reach]) -> Reach:
    """Return the reach over all partitions."""
    outcomes, guards = dict[str, int](), dict[str, int]()
    for part in parts:
        for into, counts in ((outcomes, part.outcomes), (guards, part.guards)):
            for what, many in counts.items():
                into[what] = into.get(what, 0) + many
    minute, steps = min(part.minute for part in parts), [step for part in parts for step in part.steps]
    return Reach(minute, steps, dict(sorted(outcomes.items())), dict(sorted(guards.items())))
