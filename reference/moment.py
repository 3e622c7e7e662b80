"""When a customer is judged (semantics T3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Moment:
    """The opening of a minute (``step`` -1), or one of its steps; in order of time within a partition."""

    minute: int
    step: int = -1
