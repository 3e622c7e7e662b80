"""One figure of the table, and the sort of the same run by which times of another machine are carried over.

``BASE_SORT``: the prototype's machine took 24-68 ms for np.sort of 10 M whole numbers. The upper end is that
of values of a wide range, which is what is sorted here; so it is the base, and where a prototype's figure is
a range its upper end is taken too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

BASE_SORT = 0.068  # seconds
WITHIN = 1.5  # times the prototype's figure


def figure(
    what: str, value: float | None, unit: str, against: str, ratio: float | None, goal: float | None,
    at_least: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return one row of the table; reached: whether ratio <= goal, or >= goal if the goal is to be at least
    that (None where nothing was asked, or nothing could be run).
    """
    reached = None
    if goal is not None and ratio is not None:
        reached = bool(ratio >= goal) if at_least else bool(ratio <= goal)
    return {
        "what": what,
        "value": value,
        "unit": unit,
        "against": against,
        "ratio": ratio,
        "goal": goal,
        "reached": reached,
    }


def cpu(work: Callable[[], object]) -> float:
    """Return the seconds of process CPU that a call takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


class Machine:
    """What a sort of 10 M whole numbers takes here, and what the prototype's figures become by it."""

    def __init__(self) -> None:
        numbers = np.random.default_rng(1).integers(-(2**62), 2**62, 10_000_000)
        self.sort = min(cpu(lambda: np.sort(numbers)) for _ in range(5))

    def against_prototype(self, what: str, microseconds: float, prototype: float) -> dict[str, Any]:
        """Return a time against the prototype's, carried over by the sort; the goal is 1.5 times it."""
        here = prototype * self.sort / BASE_SORT
        return figure(
            what, microseconds, "us", f"prototype: {here:.2f} us on this machine", microseconds / here, WITHIN
        )
