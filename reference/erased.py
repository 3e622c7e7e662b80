"""Who was erased, and when: whatever came before is as if it had never been (semantics P7)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reference.calendar import LATEST
from reference.customers import Customers
from reference.moment import Moment

Ints = NDArray[np.int64]


class Erased:
    """The ``erase`` records of a checked control frame, by the numbers of their customers."""

    def __init__(self, control: pd.DataFrame, customers: Customers) -> None:
        records = control[control["kind"] == "erase"]
        self._moments: dict[int, list[Moment]] = {}
        numbers = customers.numbers(records["customer"]).tolist()
        when = records[["minute", "step"]].to_numpy(dtype=np.int64).tolist()
        for number, (minute, step) in zip(numbers, when, strict=True):
            self._moments.setdefault(number, []).append(Moment(minute, step))

    def moments(self, customer: int) -> list[Moment]:
        """Return when the customer of that number was erased, in order."""
        return self._moments.get(customer, [])

    def ends(self, customer: Ints, step: Ints) -> tuple[Ints, Ints]:
        """Return (step, minute) at which what customers had at a step was erased; LATEST: never."""
        end_step = np.full(len(customer), LATEST, dtype=np.int64)
        end_minute = end_step.copy()
        for number, moments in self._moments.items():
            for at in np.flatnonzero(customer == number).tolist():
                behind = [moment for moment in moments if moment.step > step[at]]
                if behind:
                    end_step[at], end_minute[at] = behind[0].step, behind[0].minute
        return end_step, end_minute

    def last_by(self, minute: int, customers: int) -> Ints:
        """Return the step of each customer's last erasure by the end of ``minute``; -1: none."""
        found = np.full(customers, -1, dtype=np.int64)
        for number, moments in self._moments.items():
            found[number] = max((m.step for m in moments if m.minute <= minute), default=-1)
        return found
