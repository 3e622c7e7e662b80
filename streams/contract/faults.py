"""The first fault of each row of a stretch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.contract.numbers import ValueProblem

Int64s = NDArray[np.int64]


class Faults:
    """The first fault of each row."""

    def __init__(self, rows: int) -> None:
        self._of_row = np.full(rows, -1, dtype=np.int64)
        self._problems: list[ValueProblem] = []

    def add_codes(self, name: str, codes: Int64s, problems: dict[int, ValueProblem], texts: int) -> None:
        """Mark each row whose code has a problem; ``texts`` is the number of codes."""
        if not problems:
            return
        fault = np.full(texts + 1, -1, dtype=np.int64)  # the last place is for null
        for code, problem in problems.items():
            fault[code] = len(self._problems)
            self._problems.append(ValueProblem(f"{name}: {problem.problem}", problem.hint))
        self._set(fault[codes])

    def add_rows(self, rows: NDArray[np.bool_], problem: str, hint: str) -> None:
        """Mark the rows of the mask."""
        self._set(np.where(rows, len(self._problems), -1))
        self._problems.append(ValueProblem(problem, hint))

    def _set(self, faults: Int64s) -> None:
        self._of_row = np.where(self._of_row < 0, faults, self._of_row)

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Mask of rows without a fault."""
        return self._of_row < 0

    def found(self) -> list[tuple[int, ValueProblem]]:
        """Return (row, fault) of each faulty row, in the order of rows."""
        return [(int(row), self._problems[self._of_row[row]]) for row in np.flatnonzero(self._of_row >= 0)]
