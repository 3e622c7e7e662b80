"""When a customer is judged (semantics T3)."""

from __future__ import annotations

from dataclasses import dataclass

BEHIND = 2**62  # a step behind all steps of a minute


@dataclass(frozen=True, order=True)
class Moment:
    """The opening of a minute (``step`` -1), or one of its steps; in order of time within a partition."""

    minute: int
    step: int = -1
